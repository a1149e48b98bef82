/**
 * Decides which ended jobs are removed, and when: by age, by number and by disk space, the job that ended first goes
 * first. A job that somebody watches is not removed. Retention acts on events; in between there is at most one timer.
 */
import { MAX_TIMER_MS } from "../../base/timers.ts";
import { type Clock, RetentionClock } from "./retention_clock.ts";
import type { EndedJob } from "../store/rows.ts";

/** The wait before an expired job that is watched is checked again. No event reports that its watchers leave. */
const WATCHED_MS = 60_000;

/** Jobs removed at a time. They take about 10 ms, in which no call is answered. */
const BLOCK = 100;

/** The pause after each block, in which calls are answered and files are deleted. */
const NEXT_BLOCK_MS = 50;

/** The options of retention. */
export interface RetentionOptions {
  /** How long a job is kept after its end, in milliseconds. Infinity: without limit. */
  readonly maxAgeMs: number;
  /** Returns ended jobs after the given one, oldest end first. */
  readonly ended: (after: EndedJob | undefined, limit: number) => readonly EndedJob[];
  readonly isWatched: (id: string) => boolean;
  /** Removes a job. Returns the bytes that it used on the disk; undefined when the removal cannot be written. */
  readonly remove: (id: string) => number | undefined;
  /** The last time that the previous process stored, in ms since 1970. Absent when there was none. */
  readonly lastSeenMs?: number;
  /** Called once for each step of the clock that delays removals. */
  readonly onHold?: (message: string) => void;
  /** The clock of the system unless given. */
  readonly clock?: Clock;
}

/** Removes ended jobs. */
export class Retention {
  readonly #options: RetentionOptions;
  readonly #clock: RetentionClock;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isHeld = false;
  #isClosed = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#clock = new RetentionClock(options.maxAgeMs, options.lastSeenMs, options.clock);
  }

  /** Removes expired jobs and sets a timer for the next one. Must be called whenever a job has ended. */
  removeExpired(): void {
    const { maxAgeMs, ended, isWatched, remove, onHold } = this.#options;
    if (maxAgeMs === Infinity || this.#isClosed || this.#timer !== undefined) return;
    let nextMs = Infinity;
    const holdMs = this.#clock.holdMs();
    if (holdMs === 0) this.#isHeld = false;
    const block = ended(undefined, BLOCK);
    for (const [index, job] of block.entries()) {
      const leftMs = job.endedAt.getTime() + maxAgeMs - this.#clock.now();
      if (leftMs > 0) {
        nextMs = Math.min(nextMs, leftMs);
        break;
      }
      if (holdMs > 0) {
        nextMs = holdMs;
        if (!this.#isHeld) onHold?.(this.#clock.holdMessage);
        this.#isHeld = true;
        break;
      }
      if (isWatched(job.id) || remove(job.id) === undefined) nextMs = WATCHED_MS;
      else if (index === BLOCK - 1) nextMs = NEXT_BLOCK_MS;
    }
    if (nextMs === Infinity) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.removeExpired();
    }, Math.min(nextMs, MAX_TIMER_MS));
    // The timer must not keep a program running.
    Deno.unrefTimer(this.#timer);
  }

  /**
   * Removes the given number of ended jobs, or as many as there are.
   *
   * @returns the number of removed jobs
   */
  removeOldest(count: number): number {
    return this.#removeWhile((removed) => removed.count < count).count;
  }

  /**
   * Removes ended jobs until the given number of bytes is free, or none is left.
   *
   * @returns the bytes that were freed
   */
  freeBytes(bytes: number): number {
    return this.#removeWhile((removed) => removed.bytes < bytes).bytes;
  }

  #removeWhile(isShort: (removed: { count: number; bytes: number }) => boolean): { count: number; bytes: number } {
    const { ended, isWatched, remove } = this.#options;
    const removed = { count: 0, bytes: 0 };
    if (this.#isClosed) return removed;
    let after: EndedJob | undefined;
    for (let block = ended(after, BLOCK); block.length > 0; block = ended(after, BLOCK)) {
      for (const job of block) {
        if (!isShort(removed)) return removed;
        after = job;
        if (isWatched(job.id)) continue;
        const bytes = remove(job.id);
        if (bytes === undefined) return removed;
        removed.count += 1;
        removed.bytes += bytes;
      }
    }
    return removed;
  }

  /** False while the clock may be wrong. The next process must then not compare its clock with this one. */
  get isClockTrusted(): boolean {
    return this.#clock.holdMs() === 0;
  }

  /** Cancels the timer. `removeExpired()` sets it again. */
  cancelTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Cancels the timer and removes no more jobs. */
  close(): void {
    this.#isClosed = true;
    this.cancelTimer();
  }
}
