/** Gets controllers, and the permission to join, for the cgroups of jobs from the server's own cgroup. */
import { errorCode } from "../../base/error_code.ts";
import { dirname, join } from "node:path";
import { Cgroup } from "./cgroup.ts";
import { type Controller, CONTROLLERS } from "./limits.ts";

/**
 * The name of the cgroup into which a job host moves. Only a cgroup without processes can enable controllers. A service
 * manager may start the job host in it (systemd: `DelegateSubgroup=teleport-host`). A job host that is started by another
 * one begins in it, and several share it.
 */
export const HOST_LEAF = "teleport-host";

/** Jobs cannot have cgroups. The message gives the reason. */
export class CgroupUnavailableError extends Error {
  override readonly name = "CgroupUnavailableError";
}

/**
 * Lets a process join a new cgroup, as jobs will do. To create a cgroup is not enough: the cgroups above both places, and
 * namespaces, decide who may move a process.
 *
 * @throws {CgroupUnavailableError} when the process cannot join
 */
export function tryToJoin(directory: string): void {
  const trial = new Cgroup(join(directory, "trial"));
  try {
    Deno.mkdirSync(trial.directory, { recursive: true });
    // This uses printf(1), because the printf of dash reports every errno as "I/O error".
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
 * A cgroup with processes must not enable a controller for its children, but the kernel refuses it (EBUSY) only for
 * `memory` and `io`. Enabling `cpu` or `pids` makes the cgroup "domain threaded" and every child "domain invalid". Then no
 * process can join a child. So this process leaves the cgroup first. If other processes stay, no controller is enabled.
 *
 * @returns the controllers that cannot be used, each with the reason for users who want a limit
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

/** Enables a controller for the children of a cgroup. Returns why that failed; undefined if it is enabled. */
function enable(directory: string, controller: Controller): string | undefined {
  if (words(`${directory}/cgroup.subtree_control`).has(controller)) return undefined;
  try {
    Deno.writeTextFileSync(`${directory}/cgroup.subtree_control`, `+${controller}`);
    return undefined;
  } catch (error) {
    return `its cgroup does not delegate it (${codeOf(error)})`;
  }
}

/**
 * Moves this process from a cgroup to `HOST_LEAF` below it. It stays in the root of the hierarchy, which may have
 * processes and enable controllers.
 *
 * @returns why the cgroup still has processes; undefined if it has none
 */
export function leave(base: string): string | undefined {
  if (!isFile(`${base}/cgroup.type`)) return undefined; // Only the root lacks this file.
  const pids = words(`${base}/cgroup.procs`);
  pids.delete(""); // Splitting an empty file gives one empty word.
  if (pids.size === 0) return undefined;
  if (pids.size > 1 || !pids.has(String(Deno.pid))) {
    return "other processes are in its cgroup; start the server in a cgroup of its own";
  }
  try {
    const leaf = join(base, HOST_LEAF);
    Deno.mkdirSync(leaf, { recursive: true });
    Deno.writeTextFileSync(`${leaf}/cgroup.procs`, "0");
    return undefined;
  } catch (error) {
    return `the server cannot move to a cgroup of its own (${codeOf(error)})`;
  }
}

/** Returns true if a file exists. The files of a cgroup are its interface to the kernel. */
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

/** Returns the code of an error, such as `EACCES`. Without a code, returns the error as text. */
export function codeOf(error: unknown): string {
  return errorCode(error) ?? String(error);
}
