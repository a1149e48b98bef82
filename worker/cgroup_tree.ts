/** The cgroups of a server's jobs: where they are, which limits they can be held to, and what an earlier life left. */
import { basename, dirname, join } from "node:path";
import { Cgroup, pidsOf } from "./cgroup.ts";
import {
  type CgroupLimits,
  type Controller,
  CONTROLLERS,
  controllersOf,
  diskOf,
  LIMITED,
  type LimitFile,
  limitFiles,
} from "./cgroup_limits.ts";
import { type CgroupPlace, ownCgroup } from "./cgroup_place.ts";
import { NotEnforceableError } from "./errors.ts";

/**
 * The server's own cgroup, where controllers can be had only by a cgroup without processes. A service manager may put
 * the server there from the beginning (systemd: `DelegateSubgroup=teleport-server`).
 */
export const SERVER_LEAF = "teleport-server";

/** Options of a tree. */
export interface CgroupTreeOptions {
  /** The cgroup below which jobs get theirs, as a directory; this process's own unless given. */
  readonly base?: string;
  /** Of the cgroup in which those of the jobs are. One server at a time has it. */
  readonly name: string;
  /** Where /proc is mounted. */
  readonly proc?: string;
}

/** No cgroup can be made for jobs; the message says why. */
export class CgroupUnavailableError extends Error {
  override readonly name = "CgroupUnavailableError";
}

/**
 * The cgroups of a server's jobs.
 *
 * @example
 * ```ts
 * import { CgroupTree, CgroupUnavailableError } from "./cgroup_tree.ts";
 *
 * try {
 *   using cgroups = CgroupTree.open({ name: "example-jobs" });
 *   console.assert(cgroups.directory.endsWith("/example-jobs"));
 * } catch (error) {
 *   console.assert(error instanceof CgroupUnavailableError); // Not here: without rights, or without version 2.
 * }
 * ```
 */
export class CgroupTree implements Disposable {
  readonly directory: string;
  /** What jobs can be limited in. */
  readonly controllers: ReadonlySet<Controller>;
  /** Why each of the others is not there. */
  readonly lacking: ReadonlyMap<Controller, string>;

  private constructor(directory: string, lacking: ReadonlyMap<Controller, string>) {
    this.directory = directory;
    this.lacking = lacking;
    this.controllers = new Set(CONTROLLERS.filter((controller) => !lacking.has(controller)));
  }

  /**
   * Makes the cgroup for those of the jobs, and has it given all controllers that can be had. Where the kernel wants the
   * cgroup above to be without processes for that, and this one is all it has, this process moves to `SERVER_LEAF` in it.
   *
   * @throws {CgroupUnavailableError} where there is no cgroup of version 2, or none can be made in it and joined
   */
  static open(options: CgroupTreeOptions): CgroupTree {
    const own = options.base === undefined ? ownBase(options.proc ?? "/proc") : undefined;
    const base = options.base ?? own?.directory ?? "";
    if (!isDirectory(base)) throw new CgroupUnavailableError(`there is no cgroup "${base}"`);
    const directory = join(base, options.name);
    try {
      Deno.mkdirSync(directory, { recursive: true });
    } catch (error) {
      throw new CgroupUnavailableError(`cgroups cannot be made in "${base}" (${codeOf(error)})`);
    }
    const lacking = enableControllers(base, directory);
    tryToJoin(directory);
    return new CgroupTree(directory, lacking);
  }

  /** The directory of a job's cgroup, also when there is none. */
  directoryOf(id: string): string {
    return join(this.directory, id);
  }

  /**
   * Checks whether a job can be held to its limits here.
   *
   * @param cwd of the job, whose disk it is unless the limits name another path
   * @throws {NotEnforceableError} where not, with the reason
   */
  check(limits: CgroupLimits, cwd: string): void {
    this.#filesOf(limits, cwd);
  }

  /**
   * Makes a job's cgroup and holds it to limits, before anything runs in it.
   *
   * @param cwd as for `check`
   * @throws {NotEnforceableError} where it cannot be held to them
   * @throws {Error} where the cgroup cannot be made
   */
  create(id: string, limits: CgroupLimits, cwd: string): Cgroup {
    const files = this.#filesOf(limits, cwd);
    const cgroup = new Cgroup(this.directoryOf(id));
    Deno.mkdirSync(cgroup.directory);
    for (const { name, text, isOptional } of files) {
      try {
        Deno.writeTextFileSync(join(cgroup.directory, name), text);
      } catch (error) {
        if (isOptional) continue;
        cgroup.remove();
        throw new NotEnforceableError(
          `Cannot hold the job to its limits: the kernel does not take "${text}" for "${name}" (${codeOf(error)})`,
        );
      }
    }
    return cgroup;
  }

  #filesOf(limits: CgroupLimits, cwd: string): LimitFile[] {
    const needed = controllersOf(limits);
    for (const controller of needed) {
      const why = this.lacking.get(controller);
      if (why === undefined) continue;
      throw new NotEnforceableError(`Cannot limit ${LIMITED[controller]} on this server: ${why}`);
    }
    const path = limits.ioPath ?? cwd;
    return limitFiles(limits, needed.includes("io") ? diskOf(path, deviceOf(path)) : undefined);
  }

  /** Kills whatever is in cgroups of jobs that an earlier life left, and removes them. Not while jobs run. */
  async clean(): Promise<void> {
    const names = [...Deno.readDirSync(this.directory)].filter(({ isDirectory }) => isDirectory);
    await Promise.all(names.map(({ name }) => removeKilled(new Cgroup(this.directoryOf(name)))));
  }

  /** Removes the cgroup of the jobs' cgroups; where one is left of them, that is for the next life. */
  [Symbol.dispose](): void {
    new Cgroup(this.directory).remove();
  }
}

/** What was killed is gone at once unless the kernel holds it (a dead disk, say): then it is for the next life. */
const KILLED_WAIT_MS = 2_000;
const FIRST_CHECK_MS = 1;

async function removeKilled(cgroup: Cgroup): Promise<void> {
  cgroup.kill();
  const end = performance.now() + KILLED_WAIT_MS;
  for (let waitMs = FIRST_CHECK_MS; cgroup.isPopulated && performance.now() < end; waitMs *= 2) {
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    cgroup.kill(); // Before Linux 5.14 this takes more than once.
  }
  cgroup.remove();
}

function ownBase(proc: string): CgroupPlace {
  let place: CgroupPlace | undefined;
  try {
    place = ownCgroup(Deno.readTextFileSync(`${proc}/self/mountinfo`), Deno.readTextFileSync(`${proc}/self/cgroup`));
  } catch (error) {
    throw new CgroupUnavailableError(`/proc cannot be read (${codeOf(error)})`);
  }
  if (place === undefined) throw new CgroupUnavailableError("cgroup v2 is not mounted");
  return basename(place.directory) === SERVER_LEAF ? { ...place, directory: dirname(place.directory) } : place;
}

/**
 * Has a process join a cgroup as jobs will. To make one is not enough: who may move a process is decided by the cgroups
 * above both places, and by namespaces.
 */
function tryToJoin(directory: string): void {
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
function enableControllers(base: string, directory: string): Map<Controller, string> {
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

function deviceOf(path: string): number {
  try {
    return Deno.statSync(path).dev;
  } catch (error) {
    throw new NotEnforceableError(
      `Cannot limit disk bandwidth for ${JSON.stringify(path)}: it cannot be looked at (${codeOf(error)})`,
    );
  }
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === "string" ? code : String(error);
}
