/** What a server runs by and may change while it does: each part replaced when a new one can be used, else kept. */

/** One part, such as the policy. */
export interface ConfigPart<T> {
  /** For the log, such as `policy "/etc/teleport/policy.json"`. */
  readonly name: string;
  /** Reads it; rejects when it cannot be used. */
  readonly read: () => Promise<T>;
  /** Has it in force. Throws when it cannot be used after all; then nothing has changed. */
  readonly apply: (value: T) => void;
  /** Whether two of it are the same. */
  readonly equals: (one: T, other: T) => boolean;
}

/** A part and what of it is in force. */
export class ReloadableValue<T> {
  readonly #part: ConfigPart<T>;
  readonly #tell: (line: string) => void;
  #value: T;
  /** Told once, however often the files are looked at. */
  #complaint: string | undefined;

  /**
   * @param value What is in force already
   * @param tell Told what was taken up, and what was refused and why
   */
  constructor(part: ConfigPart<T>, value: T, tell: (line: string) => void) {
    this.#part = part;
    this.#value = value;
    this.#tell = tell;
  }

  /** What is in force. */
  get value(): T {
    return this.#value;
  }

  /** Takes up what is there now, if that is something else and can be used. Never rejects. */
  async refresh(): Promise<void> {
    const { name, read, apply, equals } = this.#part;
    try {
      const value = await read();
      const same = equals(value, this.#value);
      if (!same) apply(value);
      this.#complaint = undefined;
      if (same) return;
      this.#value = value;
      this.#tell(`took up new ${name}`);
    } catch (error) {
      const complaint = error instanceof Error ? error.message : String(error);
      if (complaint !== this.#complaint) this.#tell(`kept the ${name} in force: ${complaint}`);
      this.#complaint = complaint;
    }
  }
}
