/** The cgroups of a server's jobs: creates them, checks their limits, and removes those of the previous server. */
import type { CgroupLimits } from "../../base/job_options/cgroup_limits.ts";
import { Backoff } from "../../base/backoff.ts";
import { basename, dirname, join } from "node:path";
import { Cgroup } from "./cgroup.ts";
import {
  CgroupUnavailableError,
  codeOf,
  enableControllers,
  HOST_LEAF,
  isFile,
  leave,
  tryToJoin,
} from "./delegation.ts";
import { type Controller, CONTROLLERS, controllersOf, diskOf, LIMITED, type LimitFile, limitFiles } from "./limits.ts";
import { type CgroupPlace, ownCgroup } from "./own_cgroup.ts";
import { NotEnforceableError } from "../errors.ts";

/** Options of a tree. */
export interface CgroupTreeOptions {
  /** The directory of the cgroup above the tree. Default: the cgroup of this process. */
  readonly base?: string;
  /** The name of the cgroup that contains the jobs' cgroups. Only one server at a time may use it. */
  readonly name: string;
  /** The directory where /proc is mounted. Default: `/proc`. */
  readonly proc?: string;
}

/**
 * The cgroups of a server's jobs.
 *
 * @example
 * ```ts
 * import { CgroupUnavailableError } from "./delegation.ts";
 * import { CgroupTree } from "./tree.ts";
 *
 * try {
 *   using cgroups = CgroupTree.open({ name: "example-jobs" });
 *   console.assert(cgroups.directory.endsWith("/example-jobs"));
 * } catch (error) {
 *   console.assert(error instanceof CgroupUnavailableError); // No permission, or no cgroup v2.
 * }
 * ```
 */
export class CgroupTree implements Disposable {
  /** The cgroup that contains the jobs' cgroups. */
  readonly directory: string;
  /** The controllers that jobs can use. */
  readonly controllers: ReadonlySet<Controller>;
  /** The other controllers, each with the reason why jobs cannot use it. */
  readonly lacking: ReadonlyMap<Controller, string>;

  private constructor(directory: string, lacking: ReadonlyMap<Controller, string>) {
    this.directory = directory;
    this.lacking = lacking;
    this.controllers = new Set(CONTROLLERS.filter((controller) => !lacking.has(controller)));
  }

  /**
   * Creates the cgroup that contains the jobs' cgroups, and enables all available controllers. The cgroup above must have
   * no processes then. If this process is alone in it, it moves to `HOST_LEAF` first.
   *
   * @throws {CgroupUnavailableError} when no mount of cgroup v2 shows the own cgroup, or jobs cannot create or join cgroups
   */
  static open(options: CgroupTreeOptions): CgroupTree {
    const own = options.base === undefined ? ownBase(options.proc ?? "/proc") : undefined;
    const base = options.base ?? own?.directory ?? "";
    // In any other directory, or with version 1, the directories could be created too, but would limit nothing.
    if (!isFile(`${base}/cgroup.controllers`)) {
      throw new CgroupUnavailableError(`"${base}" is not a cgroup of version 2`);
    }
    const directory = join(base, options.name);
    try {
      Deno.mkdirSync(directory, { recursive: true });
    } catch (error) {
      throw new CgroupUnavailableError(`cgroups cannot be created in "${base}" (${codeOf(error)})`);
    }
    const lacking = enableControllers(base, directory);
    tryToJoin(directory);
    return new CgroupTree(directory, lacking);
  }

  /** Returns the directory of a job's cgroup, whether it exists or not. */
  directoryOf(id: string): string {
    return join(this.directory, id);
  }

  /**
   * Checks whether the limits of a job can be enforced here.
   *
   * @param cwd the working directory of the job, whose disk is limited unless the limits name another path
   * @throws {NotEnforceableError} when a limit cannot be enforced, with the reason
   */
  check(limits: CgroupLimits, cwd: string): void {
    this.#filesOf(limits, cwd);
  }

  /**
   * Creates the cgroup of a job and sets its limits, before the job starts.
   *
   * @param cwd as for `check`
   * @throws {NotEnforceableError} when a limit cannot be enforced
   * @throws {Error} when the cgroup cannot be created
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
          `Cannot set the limits of the job: the kernel refuses "${text}" for "${name}" (${codeOf(error)})`,
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

  /** Kills all processes in cgroups that the previous server left, and removes the cgroups. Not allowed while jobs run. */
  async clean(): Promise<void> {
    await removeBelow(this.directory);
  }

  /** Removes the cgroup that contains the jobs' cgroups. If one of them is left, the next server removes it. */
  [Symbol.dispose](): void {
    new Cgroup(this.directory).remove();
  }
}

/** Kills all processes in a tree whose program has died, and removes the tree. Has no effect when there is none. */
export async function removeTree(directory: string): Promise<void> {
  try {
    await removeBelow(directory);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  new Cgroup(directory).remove();
}

async function removeBelow(directory: string): Promise<void> {
  const names = [...Deno.readDirSync(directory)].filter(({ isDirectory }) => isDirectory);
  await Promise.all(names.map(({ name }) => removeKilled(new Cgroup(join(directory, name)))));
}

/** A killed process ends at once unless the kernel holds it (a dead disk). Then the next server removes its cgroup. */
const KILLED_WAIT_MS = 2_000;
const FIRST_CHECK_MS = 1;

async function removeKilled(cgroup: Cgroup): Promise<void> {
  cgroup.kill();
  const end = performance.now() + KILLED_WAIT_MS;
  const backoff = new Backoff(FIRST_CHECK_MS);
  while (cgroup.isPopulated && performance.now() < end) {
    await backoff.wait();
    cgroup.kill(); // Before Linux 5.14 one call may not be enough.
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
  if (place === undefined) throw new CgroupUnavailableError("no mount of cgroup v2 shows the server's own cgroup");
  return basename(place.directory) === HOST_LEAF ? { ...place, directory: dirname(place.directory) } : place;
}

/**
 * Moves this process to the leaf of job hosts, when it is alone in its cgroup. A job host that it starts then begins in the
 * leaf, and can give limits to its jobs. Without this call, the host finds its parent in the cgroup and enables no
 * controller. Has no effect when the process cannot move.
 *
 * @param proc the directory where /proc is mounted
 */
export function makeRoomForJobHost(proc = "/proc"): void {
  try {
    leave(ownBase(proc).directory);
  } catch (error) {
    if (!(error instanceof CgroupUnavailableError)) throw error;
  }
}

function deviceOf(path: string): number {
  try {
    return Deno.statSync(path).dev;
  } catch (error) {
    throw new NotEnforceableError(
      `Cannot limit disk bandwidth for ${JSON.stringify(path)}: it cannot be read (${codeOf(error)})`,
    );
  }
}
