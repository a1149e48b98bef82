/** One value of the configuration that is replaced when a new one can be used, and otherwise kept. */
import { errorMessage } from "../base/error_message.ts";
import type { Logger } from "../base/logger.ts";

/** How one value is read and applied. */
export interface ReloadablePart<T> {
  /** The name for the log, such as `policy`. */
  readonly name: string;
  /** Reads the value. Rejects when it cannot be used. */
  readonly read: () => Promise<T>;
  /** Applies the value. Throws when it cannot be used after all, and then has changed nothing. */
  readonly apply: (value: T) => void;
  /** Returns whether two values are the same. */
  readonly equals: (one: T, other: T) => boolean;
}

/** The value that is in force. */
export class ReloadableValue<T> {
  readonly #part: ReloadablePart<T>;
  readonly #log: Logger;
  #value: T;
  /** The reason of the last failure. Each reason is logged once, however often the files are read. */
  #failure: string | undefined;

  /**
   * @param value the value that is in force already
   * @param log receives each reload and each failure
   */
  constructor(part: ReloadablePart<T>, value: T, log: Logger) {
    this.#part = part;
    this.#value = value;
    this.#log = log;
  }

  /** The value that is in force. */
  get value(): T {
    return this.#value;
  }

  /** Reads the value again and applies it if it has changed. Never rejects. */
  async reload(): Promise<void> {
    const { name, read, apply, equals } = this.#part;
    try {
      const value = await read();
      const isSame = equals(value, this.#value);
      if (!isSame) apply(value);
      this.#failure = undefined;
      if (isSame) return this.#log.debug(`Read the ${name} again: no change`, { part: name });
      this.#value = value;
      this.#log.info(`Reloaded the ${name}`, { part: name });
    } catch (error) {
      const reason = errorMessage(error);
      if (reason !== this.#failure) {
        this.#log.error(`Cannot reload the ${name}, the previous version stays in force: ${reason}`, {
          part: name,
          reason,
        });
      }
      this.#failure = reason;
    }
  }
}
