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

/** The most characters of a text in an entry. */
const MAX_CHARS = 16_384;

/**
 * Formats an entry as one line without a line break. Control characters are escaped, and huge texts
 * are cut. The time is in RFC 3339 form.
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
  const head = { level, time: time.toISOString(), message: cut(message) };
  // The second copy keeps a field from replacing the level, the time or the message.
  if (format === "json") return jsonLine({ ...head, ...cutFields(fields), ...head });
  const frames = typeof fields.stack === "string" ? cut(framesOf(fields.stack)) : "";
  return escapeLine(`${head.time} ${level} ${head.message}${frames}`);
}

function cutFields(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === "string" ? cut(value) : value]),
  );
}

function cut(text: string): string {
  if (text.length <= MAX_CHARS) return text;
  return `${text.slice(0, MAX_CHARS)}… (${text.length - MAX_CHARS} more characters)`;
}

/** Returns the frames of a stack on one line, with a leading space. */
function framesOf(stack: string): string {
  return stack.split("\n").filter((line) => /^\s+at /.test(line)).map((line) => ` ${line.trim()}`).join("");
}
