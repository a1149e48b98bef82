/** The sentences with which a server says what happens to its jobs when it stops. */
import { deadline } from "../base/deadline.ts";
import type { Supervisor } from "../mod.ts";
import { shellWord } from "../text/escape_terminal.ts";
import type { JobPlace } from "./job_place.ts";

/** How long the count of the jobs may take, in milliseconds. A job host that hangs does not answer. */
const COUNT_MS = 500;

/**
 * Returns the sentence. With jobs that continue it says how many, and how to stop them.
 *
 * @param directory the data directory. Undefined: it is gone, so `teleportd host stop` cannot find the job host
 */
export async function stoppingText(
  { outlivesServer, hostPid }: Pick<JobPlace, "outlivesServer" | "hostPid">,
  directory: string | undefined,
  supervisor: Pick<Supervisor, "statistics">,
): Promise<string> {
  if (!outlivesServer) return "Stopping: no new work is taken, and jobs are being ended";
  const running = await deadline(supervisor.statistics(), COUNT_MS).then((found) => found?.running, () => undefined);
  const jobs = running === 1 ? "1 job continues" : `${running ?? "the"} jobs continue`;
  if (running === 0) return "Stopping: no new work is taken, and no job runs";
  const pid = hostPid?.();
  const remedy = directory !== undefined
    ? `stop them with teleportd host stop --data ${shellWord(directory)}`
    : `their data directory is gone, so stop them by SIGTERM to their job host${
      pid === undefined ? "" : `: kill ${pid}`
    }`;
  return `Stopping: no new work is taken, and ${jobs}; ${remedy}`;
}

/**
 * Returns the error of a server that could not stop the jobs that end with it.
 *
 * @param count the number of these jobs
 */
export function unstoppedText({ options }: Pick<JobPlace, "options">, directory: string, count: number): string {
  const jobs = count === 1 ? "1 job has not ended" : `${count} jobs have not ended`;
  return options.hosts === undefined
    ? `Cannot stop all jobs: ${jobs}: the next server ends what is left`
    : `Cannot stop all jobs: ${jobs}, or the job host does not answer: ` +
      `run teleportd host stop --data ${shellWord(directory)}`;
}
