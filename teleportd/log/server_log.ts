/** The log of `teleportd`: entries with a level and a time, on standard error. */
import type { LogFields, Logger, LogLevel } from "../../base/logger.ts";
import { formatEntry, type LogFormat } from "./format.ts";
import { LineWriter, type LogFile } from "./line_writer.ts";

/** The levels that `--log-level` takes, the most severe first. */
export const LOG_LEVELS: readonly LogLevel[] = ["error", "warn", "info", "debug"];

/** Options of {@linkcode ServerLog}. */
export interface ServerLogOptions {
  /** The least severe level that is written. Default `info`. */
  readonly level?: LogLevel | undefined;
  /** Default `text`. */
  readonly format?: LogFormat | undefined;
  /** Returns the time of an entry. Default: the system's clock. */
  readonly now?: () => Date;
}

/**
 * Writes entries to a file. No method waits or throws, because a log that cannot be written must not stop the server.
 *
 * @example
 * ```ts
 * import { ServerLog } from "./server_log.ts";
 *
 * const log = new ServerLog(Deno.stderr, { level: "warn", format: "json" });
 * log.warn("Refused a call: the user has too many calls open", { user: "ann" });
 * await log.close();
 * ```
 */
export class ServerLog implements Logger {
  readonly #writer: LineWriter;
  readonly #level: number;
  readonly #format: LogFormat;
  readonly #now: () => Date;

  constructor(file: LogFile, { level = "info", format = "text", now = () => new Date() }: ServerLogOptions = {}) {
    this.#level = LOG_LEVELS.indexOf(level);
    this.#format = format;
    this.#now = now;
    this.#writer = new LineWriter(file, (count, reason) => this.#lostLine(count, reason));
  }

  error(message: string, fields?: LogFields): void {
    this.#log("error", message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#log("warn", message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#log("info", message, fields);
  }

  debug(message: string, fields?: LogFields): void {
    this.#log("debug", message, fields);
  }

  /**
   * Announces that the server takes calls. Programs wait for this line, so it is written at every level. In text form it is
   * exactly `listening on HOST:PORT`, without a time.
   */
  listening(address: string): void {
    const message = `listening on ${address}`;
    this.#writer.write(this.#format === "text" ? message : this.#line("info", message, { address }));
  }

  /** Resolves when every entry is written or lost, after half a second at the latest. */
  close(): Promise<void> {
    return this.#writer.close();
  }

  #log(level: LogLevel, message: string, fields: LogFields = {}): void {
    if (LOG_LEVELS.indexOf(level) <= this.#level) this.#writer.write(this.#line(level, message, fields));
  }

  #line(level: LogLevel, message: string, fields: LogFields): string {
    return formatEntry({ level, time: this.#now(), message, fields }, this.#format);
  }

  #lostLine(count: number, reason: string): string {
    const what = count === 1 ? "1 line of this log was lost" : `${count} lines of this log were lost`;
    return this.#line("warn", `${what}: ${reason}`, { lost_lines: count, reason });
  }
}
