/** Ends what job hosts that do not live have left of their jobs, for `teleportd host stop`. */
import { errorMessage } from "../../base/error_message.ts";
import { lockHolder } from "../lock_holder.ts";
import { hasEndedInOrder } from "./ended_in_order.ts";
import type { FoundInstance } from "./instance_directory.ts";
import type { StopReport } from "./stop_report.ts";

/**
 * Ends the processes of the jobs of hosts that have died, as the next server would do. It needs their user, and the
 * database, which a running server has open.
 *
 * @param hosts the hosts that do not live
 * @returns false when processes may be left
 */
export async function endLeftovers(
  data: string,
  hosts: readonly FoundInstance[],
  report: StopReport,
): Promise<boolean> {
  const areInOrder = await Promise.all(hosts.map(hasEndedInOrder));
  const died = hosts.filter((_, index) => !areInOrder[index]);
  const stopped = hosts.length - died.length;
  if (stopped > 0) {
    report.progress(
      `Job hosts that have stopped in order: ${stopped}. The next server stores how their last jobs ended`,
    );
  }
  if (died.length === 0) return true;
  const names = died.map(({ instance, info }) => `"${instance}"${info === undefined ? "" : `, process ${info.pid}`}`);
  const cannot = (why: string) => {
    report.failed(`Cannot end what is left of the jobs of job hosts that have died (${names.join("; ")}): ${why}`);
    return false;
  };
  const other = await otherOwner(data, died);
  if (other !== undefined) return cannot(other);
  let areEnded = true;
  try {
    // The library is not loaded before: most calls do not need its database.
    const { endDeadHosts } = await import("../../mod.ts");
    await endDeadHosts(data, died.map(({ instance }) => instance), {
      onWarning: report.progress,
      onError(error) {
        areEnded = false;
        report.failed(errorMessage(error));
      },
    });
  } catch (error) {
    return cannot(serverText(data) ?? errorMessage(error));
  }
  if (areEnded) report.progress(`Ended what was left of the jobs of job hosts that have died: ${names.join("; ")}`);
  return areEnded;
}

/** Returns why this user cannot do it. A file that root makes in the directory would be closed to the server. */
async function otherOwner(data: string, died: readonly FoundInstance[]): Promise<string | undefined> {
  const own = Deno.uid();
  const owner = await ownerOf(`${data}/jobs.db`);
  const hostOwner = (await Promise.all(died.map(({ path }) => ownerOf(path)))).find((uid) => uid !== owner);
  if (owner !== undefined && hostOwner !== undefined) {
    return `they ran as user ${hostOwner}, and the data belong to user ${owner}: start the server and a job host`;
  }
  if (owner === undefined || owner === own) return undefined;
  return `the data belong to user ${owner}: repeat the command as that user`;
}

async function ownerOf(path: string): Promise<number | undefined> {
  return await Deno.stat(path).then(({ uid }) => uid ?? undefined, () => undefined);
}

/** Returns who ends the rest when a server has the database open. */
function serverText(data: string): string | undefined {
  const pid = lockHolder(`${data}/jobs.db`);
  if (pid === undefined) return undefined;
  return `the server, process ${pid}, does this, with two users when a job host has started: ` +
    "see its log, or stop it and repeat the command";
}
