/** Recovers the jobs that were running when the previous server died: ends survivors, repairs output, marks jobs LOST. */
import { Cgroup } from "../cgroup/cgroup.ts";
import { SurvivorsError } from "../errors.ts";
import type { JobSpec } from "../job/spec.ts";
import type { OutputBudget } from "../output/limit.ts";
import type { OutputLog, OutputLogOptions } from "../output/log.ts";
import { recoverLog } from "../output/restore.ts";
import { type ExitReport, isFinalState, type ProcessStatus } from "../process/state.ts";
import type { Store } from "../store/store.ts";
import { openError } from "../store/sqlite_error.ts";
import type { StoredJob } from "../store/rows.ts";
import type { StoredProcess } from "../job/status_details.ts";
import { endSurvivors, SURVIVOR_GRACE_MS } from "../process/termination.ts";
import { Meter } from "../process/usage.ts";
import { defined } from "../../base/defined.ts";

/** Returns the id of the current boot of the system, proc_sys_kernel(5); empty when it cannot be read. */
export function bootId(): string {
  try {
    return Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
  } catch {
    return "";
  }
}

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

async function recoverJob({ spec, status, process }: StoredJob, options: RecoveryOptions): Promise<void> {
  const { store, budget, onError } = options;
  let final: ProcessStatus | undefined;
  if (!isFinalState(status.state)) {
    const { survivors, isDenied, exitReport } = await endOrphans(spec.id, process, options.bootId);
    final = lostStatus(status, isRestarted(process?.bootId, options.bootId), exitReport);
    if (survivors.length > 0) onError(new SurvivorsError(spec.id, survivors, isDenied));
  }
  let log: OutputLog;
  try {
    log = await recoverLog(spec.id, options.logOptions(spec));
  } catch (error) {
    // The end is stored without the output. The next start of the server tries the output again.
    onError(error);
    if (final !== undefined) store.change(spec.id, final, { reason: "LOST" });
    return;
  }
  const output = { end: log.end, totals: log.totals() };
  const outputBytes = log.transferQuota();
  budget.addExisting(outputBytes);
  if (final === undefined) store.setOutput(spec.id, output, outputBytes);
  else store.change(spec.id, final, { reason: "LOST", output, outputBytes });
}

/**
 * Ends the survivors of a job whose server died: its cgroup, leader, process group, session, descendants, and every
 * process with its mark. It signals only processes that are known to be the job's, so none after a reboot.
 *
 * @param boot the id of the current boot
 * @returns the pids that could not be ended, and the exit report; the report is absent after a reboot
 */
export async function endOrphans(
  id: string,
  process: StoredProcess | undefined,
  boot: string,
): Promise<{ readonly survivors: readonly number[]; readonly isDenied: boolean; readonly exitReport?: ExitReport }> {
  if (process === undefined || process.bootId !== boot || boot === "") return { survivors: [], isDenied: false };
  // A job that was about to start has no stored pid. Only its mark identifies its processes.
  const { leader = -1, startTime = 0, tag } = process;
  const cgroup = process.cgroup === undefined ? undefined : new Cgroup(process.cgroup);
  const job = { leader, startTime, mark: id, ...defined({ tag }), wasUnwatched: true, cgroup };
  const { found, left, isDenied } = await endSurvivors(job, SURVIVOR_GRACE_MS);
  const usage = new Meter(job, cgroup).final(undefined);
  cgroup?.remove();
  const withoutLeader = (names: readonly string[]) => names.filter((name) => !name.startsWith(`${leader}:`));
  const survivorsEnded = withoutLeader(found.filter((name) => !left.includes(name))).length;
  const survivorsLeft = withoutLeader(left).length || undefined;
  const survivors = left.map((name) => Number.parseInt(name)).filter(Number.isInteger);
  return { survivors, isDenied, exitReport: { usage, survivorsEnded, ...defined({ survivorsLeft }) } };
}

/** Whether two boots are known and differ. */
function isRestarted(before: string | undefined, now: string): boolean {
  return before !== undefined && before !== "" && now !== "" && before !== now;
}

/**
 * Returns the status of a job whose end nobody saw.
 *
 * @param wasRestarted whether the machine was restarted in the meantime
 */
function lostStatus(status: ProcessStatus, wasRestarted: boolean, exitReport?: ExitReport): ProcessStatus {
  const { startedAt, pid }: { readonly startedAt?: Date; readonly pid?: number } = status as object;
  return {
    state: "LOST",
    reason: "LOST",
    error: `${
      wasRestarted ? "The machine was restarted" : "The server died"
    } while the job was running, so the end of the job is unknown`,
    ...defined({ startedAt, pid, exitReport, requestedBy: status.requestedBy }),
  };
}
