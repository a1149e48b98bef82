/** Recovers the jobs that were running when the previous server died, and stores how they ended. */
import { SurvivorsError } from "../errors.ts";
import type { RecoveredJob } from "../host/link.ts";
import type { OutputBudget } from "../output/limit.ts";
import { isFinalState } from "../process/state.ts";
import type { Store } from "../store/store.ts";
import { openError } from "../store/sqlite_error.ts";
import type { StoredJob } from "../store/rows.ts";

/** The options of recovery. */
export interface RecoveryOptions {
  readonly store: Store;
  /** Counts the output of each recovered job. */
  readonly budget: OutputBudget;
  /** Ends the survivors of a job, repairs its output, and says how the job ended. */
  readonly recover: (job: StoredJob) => Promise<RecoveredJob>;
  /** Receives one sentence about all jobs that are LOST. */
  readonly onWarning: (message: string) => void;
  readonly onError: (error: unknown) => void;
}

/** The most ids in one sentence. */
const MAX_LISTED = 10;

/** Returns the number of jobs and the first of their ids, such as `2 ("a", "b")`. */
export function countOf(ids: readonly string[]): string {
  const more = ids.length > MAX_LISTED ? ` and ${ids.length - MAX_LISTED} more` : "";
  return `${ids.length} (${ids.slice(0, MAX_LISTED).map((id) => `"${id}"`).join(", ")}${more})`;
}

/** The outcome of the recovery of a job. `LOST`: nobody saw its end. */
type Outcome = "ENDED" | "LOST" | "NEVER_STARTED";

/**
 * Recovers jobs whose end, or whose totals of output, are not stored, and stores how they ended. A job that cannot be
 * recovered does not stop the recovery of the others.
 *
 * @returns the jobs that never started. The caller starts them; the store still has their earlier start
 * @throws {StoreUnusableError} when the store cannot be written; the survivors of all jobs are ended all the same
 */
export async function recoverJobs(
  jobs: readonly StoredJob[],
  options: RecoveryOptions,
): Promise<readonly StoredJob[]> {
  const outcomes = await Promise.allSettled(jobs.map((job) => recoverJob(job, options)));
  const having = (outcome: Outcome) =>
    jobs.filter((_, index) => {
      const result = outcomes[index];
      return result?.status === "fulfilled" && result.value === outcome;
    });
  const lost = having("LOST");
  if (lost.length > 0) {
    options.onWarning(`Jobs whose end nobody saw are LOST: ${countOf(lost.map(({ spec }) => spec.id))}`);
  }
  const failure = outcomes.find((result) => result.status === "rejected");
  if (failure !== undefined) throw failure.reason;
  return having("NEVER_STARTED");
}

async function recoverJob(job: StoredJob, { store, budget, recover, onError }: RecoveryOptions): Promise<Outcome> {
  const { id } = job.spec;
  const { status, details, survivors, isDenied } = await recover(job);
  if (status.state === "INITIAL") return "NEVER_STARTED";
  if (survivors.length > 0) onError(new SurvivorsError(id, survivors, isDenied));
  const { output, outputBytes = 0 } = details;
  budget.addExisting(outputBytes);
  try {
    if (!isFinalState(job.status.state)) store.change(id, status, details);
    // Without totals the next start of the server tries again.
    else if (output !== undefined) store.setOutput(id, output, outputBytes);
  } catch (error) {
    throw openError(error);
  }
  return status.state === "LOST" && !isFinalState(job.status.state) ? "LOST" : "ENDED";
}
