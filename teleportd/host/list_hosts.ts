/** `teleportd host ls`: the job hosts of a data directory, and the work of each. */
import { connectHost, HostConnectError, type HostWork } from "../../job_host.ts";
import { defined } from "../../base/defined.ts";
import { formatColumns } from "../../text/columns.ts";
import { hasEndedInOrder } from "./ended_in_order.ts";
import { findInstances, type FoundInstance } from "./instance_directory.ts";

/** How long a job host may take to answer, in milliseconds. */
const ANSWER_MS = 3_000;

/**
 * The state of a job host.
 *
 * - `hung`: it lives and does not answer
 * - `other-protocol`: it has no protocol in common with this version
 * - `refused`: its files do not belong to it or to this user
 * - `stopped`: it has ended in order, and has left ends of jobs for the next server
 * - `dead`: it was killed or has crashed, and has left files
 */
export type HostState = "attached" | "alone" | "retired" | "hung" | "other-protocol" | "refused" | "stopped" | "dead";

/** One job host. */
export interface ListedHost {
  readonly instance: string;
  readonly state: HostState;
  /** Absent for a host that has not been ready. */
  readonly pid?: number;
  readonly version?: string;
  readonly startedAt?: string;
  /** Absent when the host gives no answer. */
  readonly runningJobs?: number;
}

/** Asks all job hosts of a data directory. */
export async function listHosts(data: string): Promise<ListedHost[]> {
  return await Promise.all((await findInstances(data)).map(async (found) => {
    const { instance, info } = found;
    const { state, runningJobs }: AskedHost = found.isAlive
      ? await ask(found)
      : { state: await hasEndedInOrder(found) ? "stopped" : "dead" };
    return {
      instance,
      state,
      ...(info && { pid: info.pid, version: info.version, startedAt: info.startedAt }),
      ...defined({ runningJobs }),
    };
  }));
}

type AskedHost = Pick<ListedHost, "state" | "runningJobs">;

async function ask({ path }: FoundInstance): Promise<AskedHost> {
  try {
    const link = await connectHost(path, { acknowledgeMs: ANSWER_MS });
    try {
      const work = await link.work();
      return { state: stateOf(work), runningJobs: work.runningJobs };
    } finally {
      await link.close();
    }
  } catch (error) {
    if (!(error instanceof HostConnectError)) return { state: "hung" };
    return {
      state: error.problem === "PROTOCOL" ? "other-protocol" : error.problem === "REFUSED" ? "refused" : "hung",
    };
  }
}

function stateOf({ isAttached, isRetired }: HostWork): HostState {
  if (isRetired) return "retired";
  return isAttached ? "attached" : "alone";
}

/** Returns the list as text: a table, or one JSON object a line. */
export function formatHosts(hosts: readonly ListedHost[], form: "table" | "json"): string {
  if (form === "json") {
    return hosts.map(({ instance, state, pid, version, startedAt, runningJobs }) =>
      `${JSON.stringify({ instance, state, pid, version, started_at: startedAt, running_jobs: runningJobs })}\n`
    ).join("");
  }
  const rows = hosts.map(({ instance, state, pid, version, startedAt, runningJobs }) =>
    [instance, pid, version, startedAt?.replace(/\.\d+Z$/, "Z"), runningJobs, state].map((cell) => `${cell ?? "-"}`)
  );
  return `${formatColumns([["INSTANCE", "PID", "VERSION", "STARTED", "JOBS", "STATE"], ...rows], { right: [1, 4] })}\n`;
}
