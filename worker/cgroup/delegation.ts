/** What the cgroup above gives to the cgroups of jobs: its controllers, and the permission to join. */
import { errorCode } from "../../base/error_code.ts";
import { dirname, join } from "node:path";
import { Cgroup } from "./cgroup.ts";
import { type Controller, CONTROLLERS } from "./limits.ts";

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
    // printf(1) and not the shell's own: dash says "I/O error" for every errno.
    const { success, stderr } = new Deno.Command("/bin/sh", {
      args: ["-c", 'exec /usr/bin/env printf 0 >"$1/cgroup.procs"', "sh", trial.directory],
      stdin: "null",
      stdout: "null",
      env: { PATH: "/usr/bin:/bin", LC_ALL: "C" },
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

/**
 * Enables the controllers for the cgroups of jobs.
 *
 * A cgroup with processes cannot enable a controller for its children, but the kernel refuses that (EBUSY) only for `memory`
 * and `io`. Enabling `cpu` or `pids` there makes the cgroup "domain threaded" and every child "domain invalid", and then
 * nothing can join a child. So this process leaves the cgroup before any controller is enabled, and where other processes
 * stay in it none is enabled.
 *
 * @returns the controllers that cannot be had, each with the reason in words for those who want a limit
 */
export function enableControllers(base: string, directory: string): Map<Controller, string> {
  const lacking = new Map<Controller, string>();
  const available = words(`${base}/cgroup.controllers`);
  const enabled = words(`${base}/cgroup.subtree_control`);
  const isLeft = CONTROLLERS.every((controller) => !available.has(controller) || enabled.has(controller));
  const whyNot = isLeft ? undefined : leave(base);
  for (const controller of CONTROLLERS) {
    if (!available.has(controller)) {
      lacking.set(
        controller,
        `its cgroup has no controller "${controller}" (it was not delegated, or is of version 1)`,
      );
      continue;
    }
    const why = whyNot ?? enable(base, controller) ?? enable(directory, controller);
    if (why !== undefined) lacking.set(controller, `the controller "${controller}" cannot be used: ${why}`);
  }
  return lacking;
}

/** Enables a controller for the children of a cgroup. Returns why that failed; undefined when they have it. */
function enable(directory: string, controller: Controller): string | undefined {
  if (words(`${directory}/cgroup.subtree_control`).has(controller)) return undefined;
  try {
    Deno.writeTextFileSync(`${directory}/cgroup.subtree_control`, `+${controller}`);
    return undefined;
  } catch (error) {
    return `its cgroup does not hand it on (${codeOf(error)})`;
  }
}

/**
 * Moves this process from a cgroup to `SERVER_LEAF` below it. The root of the hierarchy may enable controllers with
 * processes in it, so nothing moves there.
 *
 * @returns why the cgroup still has processes; undefined when it has none
 */
function leave(base: string): string | undefined {
  if (!isFile(`${base}/cgroup.type`)) return undefined; // Only the root has no type.
  const pids = words(`${base}/cgroup.procs`);
  pids.delete(""); // An empty file is one empty word.
  if (pids.size === 0) return undefined;
  if (pids.size > 1 || !pids.has(String(Deno.pid))) {
    return "other processes are in its cgroup; start the server in a cgroup of its own";
  }
  try {
    const leaf = join(base, SERVER_LEAF);
    Deno.mkdirSync(leaf, { recursive: true });
    Deno.writeTextFileSync(`${leaf}/cgroup.procs`, "0");
    return undefined;
  } catch (error) {
    return `the server cannot move to a cgroup of its own (${codeOf(error)})`;
  }
}

/** Whether there is such a file. The files of a cgroup are its interface to the kernel. */
export function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
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
  return errorCode(error) ?? String(error);
}
