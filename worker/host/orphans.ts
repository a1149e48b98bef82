/** Finds out how a job ended whose server or job host has died: ends its survivors and repairs its output. */
import { Cgroup } from "../cgroup/cgroup.ts";
import { defined } from "../../base/defined.ts";
import type { StatusDetails, StoredProcess } from "../job/status_details.ts";
import type { OutputLogOptions } from "../output/log.ts";
import { recoverLog } from "../output/restore.ts";
import { type ExitReport, isFinalState, type ProcessStatus } from "../process/state.ts";
import { endSurvivors, SURVIVOR_GRACE_MS } from "../process/termination.ts";
import { Meter } from "../process/usage.ts";
import type { OrphanedJob, RecoveredJob } from "./link.ts";

/** The options of the recovery of one job. */
export interface OrphanOptions {
  /** The id of the current boot. */
  readonly bootId: string;
  /** The log of the job. */
  readonly log: OutputLogOptions;
  readonly onError: (error: unknown) => void;
}

/**
 * Recovers a job whose end nobody has stored: ends its survivors, and cuts the torn tail of its output. The job is LOST,
 * unless its status is final and only its output is to be repaired. Output that cannot be repaired is reported to
 * `onError`, and the details have no totals then.
 */
export async function recoverOrphan(job: OrphanedJob, options: OrphanOptions): Promise<RecoveredJob> {
  const { spec: { id }, status, process } = job;
  const isEnded = isFinalState(status.state);
  const { survivors, isDenied, exitReport }: Orphans = isEnded
    ? { survivors: [], isDenied: false }
    : await endOrphans(id, process, options.bootId);
  const final = isEnded ? status : lostStatus(status, whyLost(process, options.bootId), exitReport);
  return {
    status: final,
    details: { ...(isEnded ? {} : { reason: "LOST" }), ...await outputOf(id, options) },
    survivors,
    isDenied,
  };
}

/** Repairs the output of a job, and returns its totals. The result is empty when the output cannot be repaired. */
async function outputOf(
  id: string,
  { log: options, onError }: OrphanOptions,
): Promise<Pick<StatusDetails, "output" | "outputBytes">> {
  try {
    const log = await recoverLog(id, options);
    return { output: { end: log.end, totals: log.totals() }, outputBytes: log.transferQuota() };
  } catch (error) {
    onError(error);
    return {};
  }
}

/** The rest of a job whose server or job host has died. */
interface Orphans {
  /** The pids that could not be ended. */
  readonly survivors: readonly number[];
  readonly isDenied: boolean;
  /** Absent after a reboot. */
  readonly exitReport?: ExitReport;
}

/**
 * Ends the survivors of a job whose server or job host died: its cgroup, leader, process group, session, descendants, and every
 * process with its mark. It signals only processes that are known to be the job's, so none after a reboot.
 *
 * @param boot the id of the current boot
 * @returns the pids that could not be ended, and the exit report; the report is absent after a reboot
 */
export async function endOrphans(
  id: string,
  process: StoredProcess | undefined,
  boot: string,
): Promise<Orphans> {
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

/** Returns what ended the job's server or job host, as the begin of a sentence. */
function whyLost(process: StoredProcess | undefined, boot: string): string {
  const before = process?.bootId ?? "";
  if (before !== "" && boot !== "" && before !== boot) return "The machine was restarted";
  return process?.host === undefined ? "The server died" : "The job host died";
}

/** Returns the status of a job whose end nobody saw. */
function lostStatus(status: ProcessStatus, why: string, exitReport?: ExitReport): ProcessStatus {
  const { startedAt, pid }: { readonly startedAt?: Date; readonly pid?: number } = status as object;
  return {
    state: "LOST",
    reason: "LOST",
    error: `${why} while the job was running, so the end of the job is unknown`,
    ...defined({ startedAt, pid, exitReport, requestedBy: status.requestedBy }),
  };
}
