/** What those above give to the cgroups of jobs: controllers, and leave to be joined. */
import { dirname, join } from "node:path";
import { Cgroup, pidsOf } from "./cgroup.ts";
import { type Controller, CONTROLLERS } from "./cgroup_limits.ts";

/**
 * The server's own cgroup, where controllers can be had only by a cgroup without processes. A service manager may put
 * the server there from the beginning (systemd: `DelegateSubgroup=teleport-server`).
 */
export const SERVER_LEAF = "teleport-server";

/** No cgroup can be made for jobs; the message says why. */
export class CgroupUnavailableError extends Error {
  override readonly name = "CgroupUnavailableError";
}

/**
 * Has a process join a cgroup as jobs will. To make one is not enough: who may move a process is decided by the cgroups
 * above both places, and by namespaces.
 */
export function tryToJoin(directory: string): void {
  const trial = new Cgroup(join(directory, "trial"));
  try {
    Deno.mkdirSync(trial.directory, { recursive: true });
    const { success, stderr } = new Deno.Command("/bin/sh", {
      args: ["-c", 'echo 0 >"$1/cgroup.procs"', "sh", trial.directory],
      stdin: "null",
      stdout: "null",
      clearEnv: true,
    }).outputSync();
    if (success) return;
    const why = new TextDecoder().decode(stderr).trim().split(": ").at(-1);
    throw new CgroupUnavailableError(`processes cannot be moved to cgroups in "${dirname(directory)}" (${why})`);
  } catch (error) {
    new Cgroup(directory).remove();
    if (error instanceof CgroupUnavailableError) throw error;
    throw new CgroupUnavailableError(`cgroups cannot be tried in "${dirname(directory)}" (${codeOf(error)})`);
  } finally {
    trial.remove();
  }
}

/** Returns the controllers that cannot be had, each with the reason in words for those who want a limit. */
export function enableControllers(base: string, directory: string): Map<Controller, string> {
  const lacking = new Map<Controller, string>();
  const there = words(`${base}/cgroup.controllers`);
  for (const controller of CONTROLLERS) {
    if (!there.has(controller)) {
      lacking.set(
        controller,
        `its cgroup has no controller "${controller}" (it was not delegated, or is of version 1)`,
      );
      continue;
    }
    const why = enable(base, controller) ?? enable(directory, controller);
    if (why !== undefined) lacking.set(controller, why);
  }
  return lacking;
}

/** Has the cgroups below one get a controller. Returns why that cannot be; undefined when they have it. */
function enable(directory: string, controller: Controller): string | undefined {
  if (words(`${directory}/cgroup.subtree_control`).has(controller)) return undefined;
  const write = () => Deno.writeTextFileSync(`${directory}/cgroup.subtree_control`, `+${controller}`);
  try {
    try {
      write();
    } catch (error) {
      // EBUSY: a cgroup with processes gives no controllers to others, but for the root.
      if (codeOf(error) !== "EBUSY" || !moveAway(directory)) throw error;
      write();
    }
    return undefined;
  } catch (error) {
    const why = codeOf(error) === "EBUSY"
      ? "other processes are in its cgroup; start it in a cgroup of its own"
      : `its cgroup does not hand it on (${codeOf(error)})`;
    return `the controller "${controller}" cannot be used: ${why}`;
  }
}

/** Moves this process out of a cgroup in which there is no other. */
function moveAway(directory: string): boolean {
  if (pidsOf(directory).join() !== String(Deno.pid)) return false;
  const leaf = join(directory, SERVER_LEAF);
  Deno.mkdirSync(leaf, { recursive: true });
  Deno.writeTextFileSync(`${leaf}/cgroup.procs`, "0");
  return true;
}

function words(path: string): Set<string> {
  try {
    return new Set(Deno.readTextFileSync(path).trim().split(/\s+/));
  } catch {
    return new Set();
  }
}

/** The system's name of an error, such as `EACCES`. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === "string" ? code : String(error);
}
