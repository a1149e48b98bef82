/** Finds out that a job host hangs while somebody watches its jobs. A host that hangs causes no event. */

/** The time between two questions to the hosts, in milliseconds. It is that of the heartbeats of clients. */
const ASK_EVERY_MS = 30_000;

/** The parts of a supervisor that the attention needs. */
export interface HostAttentionOptions {
  /** Returns true while somebody watches. */
  readonly isNeeded: () => boolean;
  /** Asks all hosts for an answer, and returns at once. */
  readonly ask: () => void;
}

/** Asks the job hosts again and again. It has a timer only while somebody watches, and at most once after the last one. */
export class HostAttention {
  readonly #options: HostAttentionOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(options: HostAttentionOptions) {
    this.#options = options;
  }

  /** Notes that somebody watches from now on. */
  attend(): void {
    if (!this.#isClosed) this.#timer ??= setTimeout(() => this.#ask(), ASK_EVERY_MS);
  }

  #ask(): void {
    this.#timer = undefined;
    if (!this.#options.isNeeded()) return;
    this.#options.ask();
    this.attend();
  }

  /** Ends the questions. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }
}
