/** Removes jobs that do not run: first the row, then the output, so that a crash leaves no job without its output. */
import { JobNotFoundError } from "../errors.ts";
import type { OutputBudget } from "../output/limit.ts";
import { isFinalState, type State } from "../process/state.ts";
import { RecordDamagedError } from "../storage_errors.ts";
import type { Store } from "../store/store.ts";
import type { LiveJobs } from "./live_jobs.ts";
import type { OutputStore } from "./output_store.ts";
import { notRecorded, type PendingWrites } from "./pending_writes.ts";

/** The parts of a supervisor that know of a job. */
export interface JobRemovalOptions {
  readonly store: Store;
  readonly liveJobs: LiveJobs;
  readonly pendingWrites: PendingWrites;
  readonly output: OutputStore;
  readonly budget: OutputBudget;
  /** Returns the state of a job now, which may be newer than the store's. */
  readonly stateOf: (id: string) => State;
  /** Called after the row of a job is removed. */
  readonly onRemoved: () => void;
  readonly onError: (error: unknown) => void;
}

/** Removes jobs. */
export class JobRemoval {
  readonly #options: JobRemovalOptions;

  constructor(options: JobRemovalOptions) {
    this.#options = options;
  }

  /**
   * Removes a job that does not run. Resolves when its output is deleted.
   *
   * @throws {JobNotFoundError} when the job does not exist
   * @throws {NotRecordedError} when the removal cannot be written
   */
  async remove(id: string): Promise<void> {
    const { liveJobs, output, stateOf, onError } = this.#options;
    try {
      return await this.#removeRow(id).deleted;
    } catch (error) {
      if (error instanceof JobNotFoundError) throw error;
      if (!isFinalState(stateOf(id))) throw notRecorded(error, onError);
    }
    // A full disk has no room for the change until the output is deleted.
    try {
      await output.deleteNow(id, liveJobs.get(id));
      await this.#removeRow(id).deleted;
    } catch (error) {
      throw error instanceof JobNotFoundError ? error : notRecorded(error, onError);
    }
  }

  /**
   * Removes an ended job for retention and deletes its output in the background. Failures go to `onError`.
   *
   * @returns the bytes that the job used on the disk; undefined when it could not be removed
   */
  removeInBackground(id: string): number | undefined {
    const { store, onError } = this.#options;
    try {
      const job = store.get(id);
      if (job === undefined) throw new JobNotFoundError(id);
      // The index by end has no checksum; the status has.
      if (!isFinalState(job.status.state)) throw new RecordDamagedError();
      return this.#removeRow(id).bytes;
    } catch (error) {
      onError(error);
      return undefined;
    }
  }

  /** Removes the row before the output. After a crash in between, recovery deletes the output. */
  #removeRow(id: string): { readonly bytes: number; readonly deleted: Promise<void> } {
    const { store, liveJobs, pendingWrites, output, budget, onRemoved } = this.#options;
    pendingWrites.flush();
    const storedBytes = store.remove(id);
    if (storedBytes === undefined) throw new JobNotFoundError(id);
    const bytes = storedBytes + pendingWrites.discard(id);
    budget.release(bytes);
    const job = liveJobs.get(id);
    liveJobs.remove(id);
    onRemoved();
    return { bytes, deleted: output.delete(id, job) };
  }
}
