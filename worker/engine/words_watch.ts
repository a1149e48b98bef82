/** Asks an engine about all jobs in one question, only while an answer is wanted, and less often while nothing changes. */
import { sleep } from "../../base/backoff.ts";
import type { BegunJob, Engine, EngineWord } from "./engine.ts";

/** The shortest wait between two questions. One a second is what operators of large clusters accept. */
const FIRST_WAIT_MS = 1_000;

/** The longest wait. It bounds how late an end is noticed that no job host reports. */
const MAX_WAIT_MS = 30_000;

const GROWTH = 1.5;

/** The receiver of the answers. */
export interface WordsWatchOptions {
  /** Tells whether an answer is wanted. It is asked before each question. */
  readonly wanted: () => boolean;
  /** Returns the jobs whose host has begun and is not connected. */
  readonly begun?: () => readonly BegunJob[];
  /** Returns the time until an answer is wanted at the latest, in milliseconds. The shortest wait comes first. */
  readonly dueMs?: () => number;
  /** Gets each answer. It nudges the watch when the answer brought news. */
  readonly heard: (words: readonly EngineWord[]) => void;
  /** Gets the error of a question that failed. */
  readonly failed: (error: unknown) => void;
  /** The shortest wait between two questions, in milliseconds. */
  readonly firstWaitMs?: number;
}

/**
 * The questions to one engine.
 *
 * @example
 * ```ts ignore
 * const watch = new WordsWatch(engine, { wanted: () => jobs.size > 0, heard: (words) => update(words), failed: log });
 * watch.nudge(); // a job was submitted
 * ```
 */
export class WordsWatch {
  readonly #engine: Engine;
  readonly #options: WordsWatchOptions;
  readonly #end = new AbortController();
  #nextMs: number;
  #isRunning = false;
  /** Ends the present wait. */
  #hurry: AbortController | undefined;

  constructor(engine: Engine, options: WordsWatchOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#nextMs = this.#firstMs;
  }

  /** Something has changed, so the next question comes after the shortest wait. Starts the questions if there are none. */
  nudge(): void {
    this.#nextMs = this.#firstMs;
    this.#hurry?.abort();
    if (!this.#isRunning && !this.#end.signal.aborted) void this.#run();
  }

  /** Ends the questions. An answer that is on its way is dropped. */
  close(): void {
    this.#end.abort();
    this.#hurry?.abort();
  }

  get #firstMs(): number {
    return this.#options.firstWaitMs ?? FIRST_WAIT_MS;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    try {
      while (await this.#wait() && this.#options.wanted()) await this.#ask();
    } catch (error) {
      this.#options.failed(error);
    } finally {
      this.#isRunning = false;
    }
  }

  /** Waits for the time of the next question. Returns false when the watch was closed. */
  async #wait(): Promise<boolean> {
    const startMs = performance.now();
    const dueMs = Math.max(this.#firstMs, this.#options.dueMs?.() ?? Infinity);
    for (;;) {
      if (this.#end.signal.aborted) return false;
      const restMs = startMs + Math.min(this.#nextMs, dueMs) - performance.now();
      if (restMs <= 0) return true;
      this.#hurry = new AbortController();
      await sleep(restMs, this.#hurry.signal).catch(() => {});
      this.#hurry = undefined;
    }
  }

  async #ask(): Promise<void> {
    this.#nextMs = Math.min(this.#nextMs * GROWTH, MAX_WAIT_MS);
    try {
      const words = await this.#engine.words(this.#options.begun?.() ?? []);
      if (!this.#end.signal.aborted) this.#options.heard(words);
    } catch (error) {
      if (!this.#end.signal.aborted) this.#options.failed(error);
    }
  }
}
