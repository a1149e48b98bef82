/** `teleportd host ls`: the job hosts of a data directory, and the work of each. */
import { connectHost, type HostWork } from "../../job_host.ts";
import { formatColumns } from "../../text/columns.ts";
import { findInstances, type FoundInstance } from "./instance_directory.ts";

/** How long a job host may take to answer, in milliseconds. */
const ANSWER_MS = 3_000;

/** The state of a job host: `hung` when it lives and does not answer, and `dead` when it has left files. */
export type HostState = "attached" | "alone" | "retired" | "hung" | "dead";

/** One job host. */
export interface ListedHost {
  readonly instance: string;
  readonly state: HostState;
  /** Absent for a host that has not been ready. */
  readonly pid?: number;
  readonly version?: string;
  readonly startedAt?: string;
  /** Absent when the host does not answer. */
  readonly runningJobs?: number;
}

/** Asks all job hosts of a data directory. */
export async function listHosts(data: string): Promise<ListedHost[]> {
  return await Promise.all((await findInstances(data)).map(async (found) => {
    const { instance, info } = found;
    const work = found.isAlive ? await workOf(found) : undefined;
    return {
      instance,
      state: !found.isAlive ? "dead" : work === undefined ? "hung" : stateOf(work),
      ...(info && { pid: info.pid, version: info.version, startedAt: info.startedAt }),
      ...(work && { runningJobs: work.runningJobs }),
    };
  }));
}

async function workOf({ path }: FoundInstance): Promise<HostWork | undefined> {
  try {
    const link = await connectHost(path, { acknowledgeMs: ANSWER_MS });
    try {
      return await link.work();
    } finally {
      await link.close();
    }
  } catch {
    return undefined; // It lives, so it hangs, or has no protocol in common with this version.
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
