/**
 * Stores each change of a job before anybody sees it. When the disk is full, an end is published at once and its change
 * stays pending until there is room.
 */
import type { CgroupTree } from "../cgroup/tree.ts";
import { changeDetails } from "../job/change_details.ts";
import type { JobRecorder } from "../job/job.ts";
import { isFinalState, type ProcessStatus } from "../process/state.ts";
import { NotRecordedError, RecordDamagedError } from "../storage_errors.ts";
import type { Store } from "../store/store.ts";
import type { StatusDetails } from "../job/status_details.ts";
import type { LiveJobs } from "./live_jobs.ts";
import { defined } from "../../base/defined.ts";

/** The wait before the next try, in milliseconds. The system does not report that a disk has room again. */
const RETRY_MS = 5_000;

/** The options of the pending writes. */
export interface PendingWritesOptions {
  readonly store: Store;
  readonly liveJobs: LiveJobs;
  /** Identifies the current boot of the system. */
  readonly bootId: string;
  readonly cgroups?: CgroupTree;
  /** Called after each change is stored. */
  readonly onWritten: (id: string, status: ProcessStatus, details: StatusDetails) => void;
  /** Called when a change will never be stored: the row of the job is damaged, or the job is removed. */
  readonly onDropped?: (id: string, status: ProcessStatus, details: StatusDetails) => void;
  readonly onError: (error: unknown) => void;
}

/** A change that is not stored yet. */
interface PendingChange {
  readonly id: string;
  readonly status: ProcessStatus;
  readonly details: StatusDetails;
}

/** Stores the changes of all jobs, in order. */
export class PendingWrites {
  readonly #options: PendingWritesOptions;
  /** Oldest first. A job has at most one change for each state. */
  #pending: PendingChange[] = [];
  #retry: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(options: PendingWritesOptions) {
    this.#options = options;
  }

  /** Returns the recorder of a job whose process this supervisor owns. */
  recorderOf(id: string): JobRecorder {
    return {
      record: (process, status, log, by) => {
        const { bootId, cgroups } = this.#options;
        const place = { bootId, ...defined({ cgroup: cgroups?.directoryOf(id) }) };
        this.record(id, status, changeDetails({ process, status, log, by }, place));
      },
    };
  }

  /**
   * Stores a status of a job, now or when the disk has room.
   *
   * @throws {NotRecordedError} when a start cannot be stored; it must not happen then
   */
  record(id: string, status: ProcessStatus, details: StatusDetails): void {
    if (status.state === "STARTING") {
      this.#writeStart(id, status, details);
      this.#options.liveJobs.pin(id);
    } else if (!this.#isClosed) {
      this.#pending.push({ id, status, details });
      this.flush();
    }
  }

  /** Stores a start. A start that cannot be stored must not happen. */
  #writeStart(id: string, status: ProcessStatus, details: StatusDetails): void {
    const { store, onWritten, onError } = this.#options;
    // The end of a start that was refused must not be stored after this start.
    if (this.#pending.length > 0) this.flush();
    if (this.#pending.some((change) => change.id === id)) throw new NotRecordedError();
    try {
      store.change(id, status, details);
    } catch (error) {
      throw notRecorded(error, onError);
    }
    onWritten(id, status, details);
  }

  /** Stores the pending changes. When that fails, tries again later. */
  flush(): void {
    const { store, liveJobs, onWritten, onDropped, onError } = this.#options;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    for (let next = this.#pending[0]; next !== undefined; next = this.#pending[0]) {
      const { id, status, details } = next;
      try {
        store.change(id, status, details);
      } catch (error) {
        onError(error);
        if (error instanceof RecordDamagedError) {
          // A damaged row can never be written, and must not delay the changes of other jobs.
          this.#pending.shift();
          if (isFinalState(status.state)) liveJobs.unpin(id);
          onDropped?.(id, status, details);
          continue;
        }
        this.#retry = setTimeout(() => this.flush(), RETRY_MS);
        return;
      }
      this.#pending.shift();
      if (isFinalState(status.state) || status.state === "INITIAL") liveJobs.unpin(id);
      onWritten(id, status, details);
    }
  }

  /**
   * Drops the pending changes of a removed job.
   *
   * @returns the bytes of its output on the disk that no stored change counts
   */
  discard(id: string): number {
    const discarded = this.#pending.filter((change) => change.id === id);
    this.#pending = this.#pending.filter((change) => change.id !== id);
    for (const { status, details } of discarded) this.#options.onDropped?.(id, status, details);
    return discarded.reduce((sum, { details }) => sum + (details.outputBytes ?? 0), 0);
  }

  /** Stores the pending changes, and accepts no more. */
  close(): void {
    this.flush();
    clearTimeout(this.#retry);
    this.#isClosed = true;
  }
}

/** Reports why a change could not be written, and returns the error for the caller. */
export function notRecorded(
  cause: unknown,
  onError: (error: unknown) => void,
): NotRecordedError | RecordDamagedError {
  onError(cause);
  return cause instanceof RecordDamagedError ? cause : new NotRecordedError({ cause });
}
