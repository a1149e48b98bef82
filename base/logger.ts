/** The interface through which code reports events to a log, without knowing where the log goes. */

/** The severity of an event. */
export type LogLevel = "error" | "warn" | "info" | "debug";

/** The fields of an event, by names in snake_case. A field never holds a secret. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * Records events. Every method returns at once and never throws.
 *
 * A message is one complete sentence without a final full stop. The fields repeat its variable parts for programs.
 */
export interface Logger {
  /** Reports a failure that somebody should look at. */
  error(message: string, fields?: LogFields): void;
  /** Reports a problem that the program can live with. */
  warn(message: string, fields?: LogFields): void;
  /** Reports a normal change of state. */
  info(message: string, fields?: LogFields): void;
  /** Reports a detail that only a search for a cause needs. */
  debug(message: string, fields?: LogFields): void;
}
