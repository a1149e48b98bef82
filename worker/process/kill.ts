/** The kill of a process that had its time to end: one timer at most, and the answer where the kernel denies it. */
import { SignalDeniedError } from "../errors.ts";
import type { ProcessTree } from "./tree.ts";

/** The kill of one process and all it started. */
export class Kill {
  readonly #tree: ProcessTree;
  readonly #onDenied: (pids: readonly number[]) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #at = Infinity;
  #denial = newDenial();
  #isOver = false;

  /** @param onDenied called with the processes of another user, the leader among them, that could not be killed */
  constructor(tree: ProcessTree, onDenied: (pids: readonly number[]) => void) {
    this.#tree = tree;
    this.#onDenied = onDenied;
  }

  /** How long until the kill, in milliseconds; undefined where none is planned. */
  get leftMs(): number | undefined {
    return this.#at === Infinity ? undefined : Math.max(0, this.#at - performance.now());
  }

  /** Rejects with a `SignalDeniedError` when the next kill cannot end the leader. */
  get denied(): Promise<never> {
    return this.#denial.promise;
  }

  /** Kills all of it after a while. A later call may bring that nearer, never put it off. */
  after(graceMs: number): void {
    const at = performance.now() + graceMs;
    if (this.#isOver || at >= this.#at) return;
    clearTimeout(this.#timer);
    this.#at = at;
    this.#timer = setTimeout(() => void this.#kill(), graceMs);
  }

  /** To be called when the leader has ended: what is left of the others is for `endLeftovers`. */
  end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  async #kill(): Promise<void> {
    const denied = await this.#tree.killAll();
    // Where the leader ends, its end is the answer, and the record counts what is left of the others.
    if (this.#isOver || !denied.includes(this.#tree.membership.leader)) return;
    this.#at = Infinity; // A later stop tries again.
    const { reject } = this.#denial;
    this.#denial = newDenial();
    reject(new SignalDeniedError("end", denied));
    this.#onDenied(denied);
  }
}

/** Nobody may wait for it. */
function newDenial(): PromiseWithResolvers<never> {
  const denial = Promise.withResolvers<never>();
  denial.promise.catch(() => {});
  return denial;
}
