/** `teleportd host stop`: stops all jobs of a data directory, and their job hosts. */
import { errorMessage } from "../../base/error_message.ts";
import { connectHost, HostConnectError } from "../../job_host.ts";
import { findInstances, type FoundInstance, untilEnd } from "./instance_directory.ts";

/** Receives what happens, for people and for programs. */
export interface StopReport {
  /** A sentence about progress. */
  readonly progress: (text: string) => void;
  /** A job host has ended. */
  readonly stopped: (instance: string) => void;
  /** A job host could not be stopped. */
  readonly failed: (text: string) => void;
}

/**
 * Stops all jobs and all job hosts, at the same time.
 *
 * @param graceMs the time between SIGTERM and SIGKILL. Undefined: the grace period of each job
 * @returns false when a job host could not be stopped, or the directory does not exist
 */
export async function stopHosts(data: string, graceMs: number | undefined, report: StopReport): Promise<boolean> {
  const found = await findInstances(data);
  if (!await Deno.stat(data).then(({ isDirectory }) => isDirectory, () => false)) {
    report.failed(`Cannot stop job hosts: "${data}" is not a data directory`);
    return false;
  }
  const running = found.filter(({ isAlive }) => isAlive);
  const died = found.length - running.length;
  if (running.length === 0) report.progress(`No job host runs for the data directory "${data}"`);
  if (died > 0) {
    report.progress(`Job hosts that have died: ${died}. The next start of a server ends what is left of their jobs`);
  }
  const results = await Promise.all(running.map(async (found) => {
    try {
      await stopHost(found, graceMs, report);
      return true;
    } catch (error) {
      const process = found.info === undefined ? "" : `, process ${found.info.pid}`;
      const remedy = error instanceof HostConnectError && found.info !== undefined
        ? `; if it stays so, kill -9 ${found.info.pid} ends it, and its jobs are LOST`
        : "";
      report.failed(`Cannot stop the job host "${found.instance}"${process}: ${errorMessage(error)}${remedy}`);
      return false;
    }
  }));
  return !results.includes(false);
}

async function stopHost(
  found: FoundInstance,
  graceMs: number | undefined,
  report: StopReport,
): Promise<void> {
  const { instance } = found;
  // The link proves that the process is the job host, and that it reacts.
  const link = await connectHost(found.path);
  try {
    const { pid } = link.info;
    const { runningJobs } = await link.work();
    report.progress(`Stopping the job host "${instance}", process ${pid}, jobs running: ${runningJobs}`);
    if (graceMs !== undefined) await link.stopJobs(graceMs);
    // Jobs that have started since then are stopped too.
    Deno.kill(pid, "SIGTERM");
    await untilEnd(found);
    report.stopped(instance);
  } finally {
    await link.close();
  }
}
