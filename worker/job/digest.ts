/** Tells whether two requests are the same, whatever the order of their fields. */
import { createHash } from "node:crypto";

/** SHA-256 of plain data, in hexadecimal. Fields that are undefined count as absent. */
export function digestOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value, sorted)).digest("hex");
}

function sorted(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  return Object.entries(value).filter(([, field]) => field !== undefined).sort(([a], [b]) => a < b ? -1 : 1);
}
