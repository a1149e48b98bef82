/** The timer that kills a process after its grace period. */
import { SignalDeniedError } from "../errors.ts";
import type { ProcessTree } from "./tree.ts";

/** Kills one process and everything it started, after a time. */
export class KillTimer {
  readonly #tree: ProcessTree;
  readonly #onDenied: (pids: readonly number[]) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The time of the kill by `performance.now()`. */
  #at = Infinity;
  #denial = newDenial();
  #isCancelled = false;

  /** @param onDenied called when the kill cannot end the leader, with the pids of another user's processes */
  constructor(tree: ProcessTree, onDenied: (pids: readonly number[]) => void) {
    this.#tree = tree;
    this.#onDenied = onDenied;
  }

  /** The time until the kill, in milliseconds. Undefined if no kill is planned. */
  get leftMs(): number | undefined {
    return this.#at === Infinity ? undefined : Math.max(0, this.#at - performance.now());
  }

  /** Rejects with a `SignalDeniedError` when the next kill cannot end the leader. */
  get denied(): Promise<never> {
    return this.#denial.promise;
  }

  /** Plans the kill. A later call can make it earlier, but never later. */
  start(graceMs: number): void {
    const at = performance.now() + graceMs;
    if (this.#isCancelled || at >= this.#at) return;
    clearTimeout(this.#timer);
    this.#at = at;
    this.#timer = setTimeout(() => void this.#kill(), graceMs);
  }

  /** Cancels the kill, because the leader has ended. `endSurvivors` then ends the rest. */
  cancel(): void {
    this.#isCancelled = true;
    clearTimeout(this.#timer);
  }

  async #kill(): Promise<void> {
    const denied = await this.#tree.killAll();
    // If the leader ends, the stop succeeded. The exit report counts the processes that are left.
    if (this.#isCancelled || !denied.includes(this.#tree.membership.leader)) return;
    this.#at = Infinity; // A later stop tries again.
    const { reject } = this.#denial;
    this.#denial = newDenial();
    reject(new SignalDeniedError("end", denied));
    this.#onDenied(denied);
  }
}

/** Returns a promise whose rejection may stay unhandled: perhaps nobody waits for it. */
function newDenial(): PromiseWithResolvers<never> {
  const denial = Promise.withResolvers<never>();
  denial.promise.catch(() => {});
  return denial;
}
