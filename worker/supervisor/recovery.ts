/** What a server does about the jobs that were running when the one before it died. */
import { Cgroup } from "../cgroup/cgroup.ts";
import { SurvivorsError } from "../errors.ts";
import type { JobSpec } from "../job/spec.ts";
import type { OutputBudget } from "../output/limit.ts";
import type { OutputLog, OutputLogOptions } from "../output/log.ts";
import { recoverLog } from "../output/restore.ts";
import { type ExitReport, isFinalState, type ProcessStatus } from "../process/state.ts";
import type { Store } from "../store/store.ts";
import { unusable } from "../store/database.ts";
import type { StoredJob, StoredProcess } from "../store/rows.ts";
import { endSurvivors, SURVIVOR_GRACE_MS } from "../process/termination.ts";
import { Meter } from "../process/usage.ts";
import { defined } from "../../base/defined.ts";

/** Names the start of the system that this process runs in; proc_sys_kernel(5). Empty where it cannot be read. */
export function bootId(): string {
  try {
    return Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
  } catch {
    return "";
  }
}

/** What recovery works with. */
export interface RecoveryOptions {
  readonly store: Store;
  /** The system's start now. */
  readonly bootId: string;
  /** Told what the output of each job takes that is taken up. */
  readonly budget: OutputBudget;
  readonly logOptions: (spec: JobSpec) => OutputLogOptions;
  readonly onError: (error: unknown) => void;
}

/**
 * Takes up the jobs whose end is not on record: what is left of their processes is ended, the torn tails of their output
 * are cut, and they are LOST. What cannot be taken up keeps no other job from being.
 *
 * @throws {StoreUnusableError} when that cannot be written down; what was left of the jobs is ended all the same
 */
export async function recoverJobs(options: RecoveryOptions): Promise<void> {
  const recovered = await Promise.allSettled(options.store.unfinished().map((job) => recoverJob(job, options)));
  const failure = recovered.find((result) => result.status === "rejected");
  if (failure !== undefined) throw unusable(failure.reason);
}

async function recoverJob({ spec, status, process }: StoredJob, options: RecoveryOptions): Promise<void> {
  const { store, budget, onError } = options;
  let final: ProcessStatus | undefined;
  if (!isFinalState(status.state)) {
    const { survivors, isDenied, exitReport } = await endOrphans(spec.id, process, options.bootId);
    final = lostStatus(status, exitReport);
    if (survivors.length > 0) onError(new SurvivorsError(spec.id, survivors, isDenied));
  }
  let log: OutputLog;
  try {
    log = await recoverLog(spec.id, options.logOptions(spec));
  } catch (error) {
    // Its end is true all the same. The output is tried again at the next start.
    onError(error);
    if (final !== undefined) store.change(spec.id, final, { reason: "LOST" });
    return;
  }
  const output = { end: log.end, totals: log.totals() };
  const outputBytes = log.transferQuota();
  budget.addExisting(outputBytes);
  if (final === undefined) store.settle(spec.id, output, outputBytes);
  else store.change(spec.id, final, { reason: "LOST", output, outputBytes });
}

/**
 * Ends what is left of a job whose server died: its cgroup, leader, group, session, descendants, and whatever carries its
 * mark. Nothing is signalled that is not known to be the job's: after a restart of the system nothing is.
 *
 * @returns the pids of what could not be ended, and what is to be said of the end, unless the system was restarted
 */
export async function endOrphans(
  id: string,
  process: StoredProcess | undefined,
  boot: string,
): Promise<{ readonly survivors: readonly number[]; readonly isDenied: boolean; readonly exitReport?: ExitReport }> {
  if (process === undefined || process.bootId !== boot || boot === "") return { survivors: [], isDenied: false };
  // A job that was about to start has no pid on record: it is known by its mark alone.
  const { leader = -1, startTime = 0, tag } = process;
  const cgroup = process.cgroup === undefined ? undefined : new Cgroup(process.cgroup);
  const job = { leader, startTime, mark: id, ...defined({ tag }), wasUnwatched: true, cgroup };
  const { found, left, isDenied } = await endSurvivors(job, SURVIVOR_GRACE_MS);
  const usage = new Meter(job, cgroup).final(undefined);
  cgroup?.remove();
  const others = (names: readonly string[]) => names.filter((name) => !name.startsWith(`${leader}:`));
  const survivorsEnded = others(found.filter((name) => !left.includes(name))).length;
  const survivorsLeft = others(left).length;
  const survivors = left.map((name) => Number.parseInt(name)).filter(Number.isInteger);
  return {
    survivors,
    isDenied,
    exitReport: { usage, survivorsEnded, ...(survivorsLeft === 0 ? {} : { survivorsLeft }) },
  };
}

/** The status of a job whose end nobody saw. */
export function lostStatus(status: ProcessStatus, exitReport?: ExitReport): ProcessStatus {
  return {
    state: "LOST",
    reason: "LOST",
    error: "The server died while the job ran, and what became of the job was not seen",
    ...("startedAt" in status && status.startedAt ? { startedAt: status.startedAt } : {}),
    ...("pid" in status && status.pid !== undefined ? { pid: status.pid } : {}),
    ...defined({ exitReport, requestedBy: status.requestedBy }),
  };
}
