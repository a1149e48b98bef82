/** The digest by which two requests are compared, whatever the order of their fields. */
import { createHash } from "node:crypto";

/** Returns the SHA-256 digest of plain data, in hexadecimal. A field with the value undefined counts as absent. */
export function digestOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value, sorted)).digest("hex");
}

function sorted(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  return Object.entries(value).filter(([, field]) => field !== undefined).sort(([a], [b]) => a < b ? -1 : 1);
}
