/**
 * Writes the changes of jobs down before they are told. What the disk does not take is kept and tried again, so that a
 * disk that was full for a while costs no end of a job.
 */
import type { CgroupTree } from "../cgroup/tree.ts";
import { NotRecordedError, RecordDamagedError } from "../storage_errors.ts";
import type { JobRecorder } from "../job/job.ts";
import { isFinalState, type ProcessStatus } from "../process/state.ts";
import type { Store } from "../store/store.ts";
import type { StatusDetails } from "../store/rows.ts";
import type { LiveJobs } from "./live_jobs.ts";
import { defined } from "../../base/defined.ts";

/** Nothing tells when a disk has room again. Only while something waits for it. */
const RETRY_MS = 5_000;

/** What records are made with. */
export interface RecordsOptions {
  readonly store: Store;
  readonly jobs: LiveJobs;
  readonly bootId: string;
  readonly cgroups?: CgroupTree;
  /** Called after something was written. */
  readonly onRecorded: (id: string, status: ProcessStatus, known: StatusDetails) => void;
  readonly onError: (error: unknown) => void;
}

/** The recorder of all jobs. */
export class PendingWrites {
  readonly #options: RecordsOptions;
  /** Changes that are still to be written, oldest first. No job has more than its life has states. */
  #waiting: { readonly id: string; readonly status: ProcessStatus; readonly known: StatusDetails }[] = [];
  #retry: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(options: RecordsOptions) {
    this.#options = options;
  }

  /** The recorder of one job. */
  of(id: string): JobRecorder {
    const { jobs, bootId, cgroups } = this.#options;
    return {
      record: (process, status, log, by) => {
        const leader = "pid" in status ? status.pid : undefined;
        const { startTime, tag, endCause } = process;
        const asker = by ?? endCause?.by;
        const known: StatusDetails = {
          process: {
            bootId,
            ...defined({ leader, startTime, tag }),
            ...(cgroups === undefined ? {} : { cgroup: cgroups.directoryOf(id) }),
          },
          ...defined({ reason: endCause?.reason, by: asker }),
          ...(isFinalState(status.state)
            ? { output: { end: log.end, totals: log.totals() }, outputBytes: log.transferQuota() }
            : {}),
        };
        if (status.state === "STARTING") {
          this.#begin(id, status, known);
          jobs.hold(id);
        } else if (!this.#closed) {
          this.#waiting.push({ id, status, known });
          this.flush();
        }
      },
    };
  }

  /** A start that cannot be written down must not happen. */
  #begin(id: string, status: ProcessStatus, known: StatusDetails): void {
    try {
      this.#options.store.change(id, status, known);
    } catch (error) {
      this.#options.onError(error);
      throw error instanceof RecordDamagedError ? error : new NotRecordedError({ cause: error });
    }
    this.#options.onRecorded(id, status, known);
  }

  /** Writes what is still to be written. */
  flush(): void {
    const { store, jobs, onRecorded, onError } = this.#options;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      try {
        store.change(next.id, next.status, next.known);
      } catch (error) {
        onError(error);
        if (error instanceof RecordDamagedError) {
          // It cannot be written later either, and must not hold up the changes of other jobs.
          this.#waiting.shift();
          if (isFinalState(next.status.state)) jobs.release(next.id);
          continue;
        }
        this.#retry = setTimeout(() => this.flush(), RETRY_MS);
        return;
      }
      this.#waiting.shift();
      if (isFinalState(next.status.state) || next.status.state === "INITIAL") jobs.release(next.id);
      onRecorded(next.id, next.status, next.known);
    }
  }

  /**
   * Forgets what is still to be written of a job.
   *
   * @returns what its output takes on the disk, which nothing else knows of
   */
  forget(id: string): number {
    const waiting = this.#waiting.filter((change) => change.id === id);
    this.#waiting = this.#waiting.filter((change) => change.id !== id);
    return waiting.reduce((sum, { known }) => sum + (known.outputBytes ?? 0), 0);
  }

  /** Writes what is still to be written, and nothing after that. */
  close(): void {
    this.flush();
    clearTimeout(this.#retry);
    this.#closed = true;
  }
}
