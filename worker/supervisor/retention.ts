/**
 * Decides which ended jobs are forgotten, and when: by age, number and disk, the oldest end first, and never one that
 * somebody watches. It acts when something happens; between, there is one timer at most, for the next that gets too old.
 */
import { type Clock, RetentionClock } from "./retention_clock.ts";
import type { EndedJob } from "../store/rows.ts";

/** Longer timers overflow: setTimeout counts in a signed 32-bit number of milliseconds. */
const MAX_TIMER_MS = 2_147_483_647;

/** A job that is too old and watched is looked at again after this long: nobody tells when its watchers leave. */
const WATCHED_MS = 60_000;

/** Ended jobs looked at in one go: to forget so many takes about 10 ms, in which nobody is served. */
const BLOCK = 100;

/** Then others get their turn, and deleted files their time. */
const NEXT_BLOCK_MS = 50;

/** What retention works with. */
export interface RetentionOptions {
  /** How long jobs are kept once they have ended, in milliseconds; Infinity: for ever. */
  readonly maxAgeMs: number;
  /** Jobs that have ended, oldest end first, behind one of them. */
  readonly ended: (after: EndedJob | undefined, limit: number) => readonly EndedJob[];
  /** Whether somebody watches it. */
  readonly isWatched: (id: string) => boolean;
  /** Forgets a job; returns how many bytes it took on the disk, undefined where that cannot be written down. */
  readonly forget: (id: string) => number | undefined;
  /** The time that an earlier process saw last, in ms since 1970; absent when there was none. */
  readonly lastSeenMs?: number;
  /** Told once for each step of the clock because of which jobs are not forgotten. */
  readonly onHeld?: (sentence: string) => void;
  /** The system's own unless given. */
  readonly clock?: Clock;
}

/** Forgets jobs that are kept no longer. */
export class Retention {
  readonly #options: RetentionOptions;
  readonly #clock: RetentionClock;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isHeld = false;
  #closed = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#clock = new RetentionClock(options.maxAgeMs, options.lastSeenMs, options.clock);
  }

  /** Forgets the jobs that are too old, and waits for the next that gets so. To be called when a job has ended. */
  expire(): void {
    const { maxAgeMs, ended, isWatched, forget, onHeld } = this.#options;
    if (maxAgeMs === Infinity || this.#closed || this.#timer !== undefined) return;
    let nextMs = Infinity;
    const heldMs = this.#clock.heldMs();
    if (heldMs === 0) this.#isHeld = false;
    const block = ended(undefined, BLOCK);
    for (const [index, job] of block.entries()) {
      const leftMs = job.endedAt.getTime() + maxAgeMs - this.#clock.now();
      if (leftMs > 0) {
        nextMs = Math.min(nextMs, leftMs);
        break;
      }
      if (heldMs > 0) {
        nextMs = heldMs;
        if (!this.#isHeld) onHeld?.(this.#clock.why);
        this.#isHeld = true;
        break;
      }
      if (isWatched(job.id) || forget(job.id) === undefined) nextMs = WATCHED_MS;
      else if (index === BLOCK - 1) nextMs = NEXT_BLOCK_MS;
    }
    if (nextMs === Infinity) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.expire();
    }, Math.min(nextMs, MAX_TIMER_MS));
    // To forget a job is no reason for a program to live on.
    Deno.unrefTimer(this.#timer);
  }

  /**
   * Forgets so many jobs, as far as there are any to forget.
   *
   * @returns how many it forgot
   */
  makeRoom(count: number): number {
    return this.#forgetWhile((forgotten) => forgotten.count < count).count;
  }

  /**
   * Forgets jobs until so many bytes of the disk are given back, as far as there are any to forget.
   *
   * @returns how many bytes were given back
   */
  freeBytes(bytes: number): number {
    return this.#forgetWhile((forgotten) => forgotten.bytes < bytes).bytes;
  }

  #forgetWhile(isShort: (forgotten: { count: number; bytes: number }) => boolean): { count: number; bytes: number } {
    const { ended, isWatched, forget } = this.#options;
    const forgotten = { count: 0, bytes: 0 };
    if (this.#closed) return forgotten;
    let after: EndedJob | undefined;
    for (let block = ended(after, BLOCK); block.length > 0; block = ended(after, BLOCK)) {
      for (const job of block) {
        if (!isShort(forgotten)) return forgotten;
        after = job;
        if (isWatched(job.id)) continue;
        const bytes = forget(job.id);
        if (bytes === undefined) return forgotten;
        forgotten.count += 1;
        forgotten.bytes += bytes;
      }
    }
    return forgotten;
  }

  /** Whether the clock is believed: what is not believed must not be what the next process compares with. */
  get isClockBelieved(): boolean {
    return this.#clock.heldMs() === 0;
  }

  /** Ends the wait for the next job that gets too old, until `expire` is called again. */
  rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Forgets nothing any more. */
  close(): void {
    this.#closed = true;
    this.rest();
  }
}
