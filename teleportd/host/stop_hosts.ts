/** `teleportd host stop`: stops all jobs of a data directory, and their job hosts, also those of hosts that have died. */
import { errorMessage } from "../../base/error_message.ts";
import { connectHost, HostConnectError } from "../../job_host.ts";
import { checkDirectoryThere } from "../data_directory.ts";
import { endLeftovers } from "./end_leftovers.ts";
import { findInstances, type FoundInstance, untilEnd } from "./instance_directory.ts";
import type { StopReport } from "./stop_report.ts";

/**
 * Stops all jobs and all job hosts, at the same time. Then ends what hosts that have died have left of their jobs.
 *
 * @param graceMs the time between SIGTERM and SIGKILL. Undefined: the grace period of each job
 * @returns false when a job host could not be stopped, or processes of jobs may be left
 * @throws {StartError} when the directory does not exist
 */
export async function stopHosts(data: string, graceMs: number | undefined, report: StopReport): Promise<boolean> {
  await checkDirectoryThere(data, "stop job hosts");
  const found = await findInstances(data);
  const running = found.filter(({ isAlive }) => isAlive);
  if (running.length === 0) report.progress(`No job host runs for the data directory "${data}"`);
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
  const left = (await findInstances(data)).filter(({ isAlive }) => !isAlive);
  return await endLeftovers(data, left, report) && !results.includes(false);
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
