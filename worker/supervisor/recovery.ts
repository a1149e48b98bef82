/** Recovers the jobs that were running when the previous server died, and stores how they ended. */
import { SurvivorsError } from "../errors.ts";
import type { JobSpec } from "../job/spec.ts";
import { recoverOrphan } from "../host/orphans.ts";
import type { OutputBudget } from "../output/limit.ts";
import type { OutputLogOptions } from "../output/log.ts";
import { isFinalState } from "../process/state.ts";
import type { Store } from "../store/store.ts";
import { openError } from "../store/sqlite_error.ts";
import type { StoredJob } from "../store/rows.ts";

/** The options of recovery. */
export interface RecoveryOptions {
  readonly store: Store;
  /** The id of the current boot. */
  readonly bootId: string;
  /** Counts the output of each recovered job. */
  readonly budget: OutputBudget;
  readonly logOptions: (spec: JobSpec) => OutputLogOptions;
  readonly onError: (error: unknown) => void;
}

/**
 * Recovers every job whose end is not stored. It ends the survivors of the job, cuts the torn tail of its output, and
 * stores that the job is LOST. A job that cannot be recovered does not stop the recovery of the others.
 *
 * @throws {StoreUnusableError} when the store cannot be written; the survivors of all jobs are ended all the same
 */
export async function recoverJobs(options: RecoveryOptions): Promise<void> {
  const recovered = await Promise.allSettled(options.store.unfinishedJobs().map((job) => recoverJob(job, options)));
  const failure = recovered.find((result) => result.status === "rejected");
  if (failure !== undefined) throw openError(failure.reason);
}

async function recoverJob(job: StoredJob, options: RecoveryOptions): Promise<void> {
  const { store, budget, bootId, onError } = options;
  const { id } = job.spec;
  const log = options.logOptions(job.spec);
  const { status, details, survivors, isDenied } = await recoverOrphan(job, { bootId, log, onError });
  if (survivors.length > 0) onError(new SurvivorsError(id, survivors, isDenied));
  const { output, outputBytes = 0 } = details;
  budget.addExisting(outputBytes);
  if (!isFinalState(job.status.state)) store.change(id, status, details);
  else if (output !== undefined) store.setOutput(id, output, outputBytes); // Else the next start of the server tries again.
}
