/** Whether the jobs of this server get cgroups, and where; said at the start, for it is what their end rests on. */
import { CgroupTree, CgroupUnavailableError, hasTags } from "../mod.ts";
import { StartError } from "./start_error.ts";

/**
 * Opens the cgroup in which those of the jobs will be.
 *
 * @param where `auto`: below this process's own, where that can be; `off`: nowhere; else the directory of a cgroup
 * @param directory of the data: the cgroup is found again by the next server that has it
 * @returns them, where there are any, and what is to be said at the start
 * @throws {StartError} where there can be no cgroups in the directory that was named
 */
export async function openCgroups(
  where: string,
  directory: string,
): Promise<{ readonly cgroups: CgroupTree | undefined; readonly line: string }> {
  const without = (why: string) => ({
    cgroups: undefined,
    line: `jobs have no cgroups (${why}): they are ended by process group, session, descent, ` +
      `${hasTags() ? "an inherited limit " : ""}and environment`,
  });
  if (where === "off") return without("--cgroup off");
  const name = `teleport-${await digestOf(await Deno.realPath(directory))}`;
  try {
    const cgroups = CgroupTree.open({ name, ...(where === "auto" ? {} : { base: where }) });
    const limits = cgroups.controllers.size === 0
      ? "they cannot be limited by them"
      : `they can be limited in ${[...cgroups.controllers].join(", ")}`;
    return { cgroups, line: `jobs have cgroups in "${cgroups.directory}", ${limits}` };
  } catch (error) {
    if (!(error instanceof CgroupUnavailableError)) throw error;
    if (where !== "auto") throw new StartError(`No cgroups for jobs: ${error.message}`);
    return without(error.message);
  }
}

/** Short enough for a name, and no two directories of a machine share it. */
async function digestOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest, 0, 8).toHex();
}
