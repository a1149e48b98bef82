/** The two forms of an entry of the server's log. Each entry is one line. */
import type { LogFields, LogLevel } from "../../base/logger.ts";
import { escapeLine, jsonLine } from "../../text/unprintable.ts";

/** The forms by the names that `--log-format` takes. */
export type LogFormat = "text" | "json";

/** One event. */
export interface LogEntry {
  readonly level: LogLevel;
  readonly time: Date;
  /** A sentence for a person. */
  readonly message: string;
  /** Its variable parts for programs. `stack` is the stack of an error. */
  readonly fields: LogFields;
}

/**
 * Formats an entry as one line without a line break. Control characters are escaped. The time is in RFC 3339 form.
 *
 * - `text`: time, level and message. The only field that it shows is `stack`.
 * - `json`: an object with `level`, `time`, `message`, and then the fields.
 *
 * @example
 * ```ts
 * import { formatEntry } from "./format.ts";
 *
 * const entry = { level: "info", time: new Date(0), message: "Reloaded the policy", fields: { part: "policy" } } as const;
 * console.assert(formatEntry(entry, "text") === "1970-01-01T00:00:00.000Z info Reloaded the policy");
 * ```
 */
export function formatEntry({ level, time, message, fields }: LogEntry, format: LogFormat): string {
  const head = { level, time: time.toISOString(), message };
  // The second copy keeps a field from replacing the level, the time or the message.
  if (format === "json") return jsonLine({ ...head, ...fields, ...head });
  const frames = typeof fields.stack === "string" ? framesOf(fields.stack) : "";
  return escapeLine(`${head.time} ${level} ${message}${frames}`);
}

/** Returns the frames of a stack on one line, with a leading space. */
function framesOf(stack: string): string {
  return stack.split("\n").filter((line) => /^\s+at /.test(line)).map((line) => ` ${line.trim()}`).join("");
}
