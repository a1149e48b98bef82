/** Asks an engine what it says of all jobs, while a job needs that: soon after news, and then less and less often. */
import type { Engine, EngineWord } from "./engine.ts";

/** The waits between two questions, in milliseconds. */
const FIRST_MS = 1_000;
const MAX_MS = 30_000;
const GROWTH = 1.5;

/** Options of a watch. */
export interface WordsWatchOptions {
  /** Returns whether a job waits for the answer. */
  readonly wanted: () => boolean;
  readonly heard: (words: readonly EngineWord[]) => void;
  /** Receives the error of a question. It is asked again later. */
  readonly failed: (error: unknown) => void;
}

/** The question to an engine that is asked again and again. */
export class WordsWatch {
  readonly #engine: Engine;
  readonly #options: WordsWatchOptions;
  #waitMs = FIRST_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isAsking = false;
  #isClosed = false;

  constructor(engine: Engine, options: WordsWatchOptions) {
    this.#engine = engine;
    this.#options = options;
  }

  /** Asks soon, because there is news. Many calls make one question. */
  nudge(): void {
    this.#waitMs = FIRST_MS;
    if (this.#isAsking) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#schedule();
  }

  /** Asks no more. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#isClosed || this.#timer !== undefined || !this.#options.wanted()) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#ask();
    }, this.#waitMs);
    this.#waitMs = Math.min(MAX_MS, this.#waitMs * GROWTH);
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    try {
      const words = await this.#engine.words();
      if (!this.#isClosed) this.#options.heard(words);
    } catch (error) {
      if (!this.#isClosed) this.#options.failed(error);
    } finally {
      this.#isAsking = false;
      this.#schedule();
    }
  }
}
