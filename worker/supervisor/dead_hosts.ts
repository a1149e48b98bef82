/** Ends what dead job hosts have left of their jobs, without a supervisor, and stores how the jobs ended. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { LocalRecovery } from "../host/local_recovery.ts";
import { bootId as readBootId } from "../linux/boot_id.ts";
import { OutputBudget } from "../output/limit.ts";
import type { OrphanedJob, RecoveredJob } from "../host/link.ts";
import { Store } from "../store/store.ts";
import { checkDatabaseThere } from "./lost_database.ts";
import { OutputStore } from "./output_store.ts";
import { recoverJobs } from "./recovery.ts";

/** Receives what happens. */
export interface DeadHostsReport {
  /** A sentence that an administrator should know, such as the jobs that are LOST. */
  readonly onWarning: (message: string) => void;
  /** An error, such as processes that could not be ended. */
  readonly onError: (error: unknown) => void;
}

/**
 * Ends the processes of the jobs of dead job hosts, as the next supervisor would do. The hosts leave their files to that
 * supervisor. So do jobs that never started, which it starts.
 *
 * @param directory the data directory, which exists
 * @param instances the hosts that have died
 * @throws {DirectoryInUseError} when another process uses the directory
 * @throws {StoreUnusableError} when the database in the directory cannot be used
 */
export async function endDeadHosts(
  directory: string,
  instances: readonly string[],
  { onWarning, onError }: DeadHostsReport,
): Promise<void> {
  checkDatabaseThere(directory);
  const path = join(directory, "jobs.db");
  if (!existsSync(path)) return; // There was never a job.
  const bootId = readBootId();
  const output = new OutputStore({ directory, onDeleted: () => {}, onError });
  const local = new LocalRecovery({ hostsDirectory: join(directory, "hosts"), bootId, onError });
  using store = new Store(path, { bootId, onWarning });
  const jobs = store.unfinishedJobs().filter(({ process }) => instances.includes(process?.host ?? ""));
  const recover = (job: OrphanedJob): Promise<RecoveredJob> => local.recover(job, output.logOptions(job.spec));
  await recoverJobs(jobs, { store, budget: new OutputBudget(Infinity), recover, onWarning, onError });
}
