/** The disk space for output that arrives from other machines. It shares the budget with the jobs of this machine. */
import type { OutputBudget, OutputQuota } from "../output/limit.ts";

/** The space that is reserved beyond what is needed, in bytes, so that not each piece of output asks the job hosts. */
const AHEAD_BYTES = 1_048_576;

/** The parts of a supervisor that the quota uses. */
export interface PlacedQuotaOptions {
  /** The space of all jobs. It does not count the output of running jobs of this machine, which their hosts count. */
  readonly budget: OutputBudget;
  /** Returns the bytes of the output of running jobs of this machine now. */
  readonly runningBytes: () => Promise<number>;
  /** Removes ended jobs, as many as have these bytes. */
  readonly makeRoom: (bytes: number) => void;
  /** Called when the space that is left for the jobs of this machine has changed. */
  readonly onChange: () => void;
}

/** The disk space for output that arrives from other machines. */
export class PlacedQuota implements OutputQuota {
  readonly #options: PlacedQuotaOptions;
  /** The bytes that are reserved and not used. */
  #aheadBytes = 0;
  /** How often `rest()` was called. */
  #rests = 0;

  constructor(options: PlacedQuotaOptions) {
    this.#options = options;
  }

  get maxBytes(): number {
    return this.#options.budget.maxBytes;
  }

  reserve(bytes: number): boolean | Promise<boolean> {
    const { budget } = this.#options;
    if (budget.maxBytes === Infinity) return budget.reserve(bytes);
    if (bytes > this.#aheadBytes) return this.#reserveMore(bytes);
    this.#aheadBytes -= bytes;
    return true;
  }

  async #reserveMore(bytes: number): Promise<boolean> {
    const { budget, runningBytes, makeRoom, onChange } = this.#options;
    const rests = this.#rests;
    const runningNow = await runningBytes();
    // Others may have reserved meanwhile, or the last job may have ended.
    const wanted = rests === this.#rests ? Math.max(0, AHEAD_BYTES - this.#aheadBytes) : 0;
    const missing = (wanted: number) => budget.usedBytes + runningNow + wanted - budget.maxBytes;
    if (missing(bytes + wanted) > 0) budget.raise();
    const ahead = missing(bytes + wanted) > 0 ? 0 : wanted;
    if (missing(bytes + ahead) > 0) makeRoom(missing(bytes));
    if (missing(bytes + ahead) > 0) return false;
    budget.addExisting(bytes + ahead);
    this.#aheadBytes += ahead;
    onChange();
    return true;
  }

  /** Adds bytes that are already on the disk, even above the limit. */
  addExisting(bytes: number): void {
    this.#options.budget.addExisting(bytes);
    this.#options.onChange();
  }

  release(bytes: number): void {
    this.#options.budget.release(bytes);
    this.#options.onChange();
  }

  /** Releases what is reserved and not used, because no output arrives any more. */
  rest(): void {
    const bytes = this.#aheadBytes;
    this.#aheadBytes = 0;
    this.#rests += 1;
    if (bytes > 0) this.release(bytes);
  }
}
