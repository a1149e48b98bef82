/** Audit logs for tests, and changes to them. */
import { AuditLog, type AuditLogOptions } from "../../service/audit/log.ts";

/** Writes a number of entries. */
export async function write(directory: string, count: number, options: Partial<AuditLogOptions> = {}): Promise<void> {
  await using log = await AuditLog.open({ directory, ...options });
  for (let index = 0; index < count; index++) log.record({ event: "call", user: "ann", call: "Status", code: "OK" });
}

/** The first file of an audit log. */
export const FIRST = "audit-00000001.jsonl";

/** Changes the lines of a file. */
export async function tamper(path: string, change: (lines: string[]) => string[]): Promise<void> {
  const lines = (await Deno.readTextFile(path)).split("\n").slice(0, -1);
  await Deno.writeTextFile(path, change(lines).map((line) => `${line}\n`).join(""));
}
