/** Opens the cgroup that holds the cgroups of the jobs. */
import { CgroupTree, CgroupUnavailableError, hasTags } from "../job_host.ts";
import { StartError } from "./start_error.ts";

/** The cgroups of a server's jobs. */
export interface OpenCgroups {
  /** Absent when jobs have no cgroups. */
  readonly cgroups: CgroupTree | undefined;
  /** Says whether jobs have cgroups, and what follows from that. */
  readonly text: string;
}

/**
 * Opens the cgroup that holds the cgroups of the jobs.
 *
 * @param where `auto`: below the server's own cgroup if possible; `off`: none; otherwise the directory of a cgroup
 * @param directory the data directory: the next server with the same directory finds the same cgroup
 * @param instance the job host, whose cgroups no other one may remove. Absent for a server without job hosts.
 * @throws {StartError} when the directory of a cgroup was given and cannot be used
 */
export async function openCgroups(where: string, directory: string, instance?: string): Promise<OpenCgroups> {
  const without = (reason: string) => ({
    cgroups: undefined,
    text: `Jobs have no cgroups (${reason}): the server finds their processes by process group, session, parent, ` +
      `${hasTags() ? "inherited limit " : ""}and environment`,
  });
  if (where === "off") return without("--cgroup off");
  const digest = await digestOf(await Deno.realPath(directory));
  const name = `teleport-${digest}${instance === undefined ? "" : `-${instance}`}`;
  try {
    const cgroups = CgroupTree.open({ name, ...(where === "auto" ? {} : { base: where }) });
    const limits = cgroups.controllers.size === 0
      ? `which cannot limit them: ${cgroups.lacking.values().next().value}`
      : `which can limit ${[...cgroups.controllers].join(", ")}`;
    return { cgroups, text: `Jobs have cgroups in "${cgroups.directory}", ${limits}` };
  } catch (error) {
    if (!(error instanceof CgroupUnavailableError)) throw error;
    if (where !== "auto") throw new StartError(`Cannot make cgroups for jobs: ${error.message}`, { cause: error });
    return without(error.message);
  }
}

/** Returns a digest that is short enough for a file name and differs between the directories of a machine. */
async function digestOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest, 0, 8).toHex();
}
