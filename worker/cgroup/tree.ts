/** The cgroups of a server's jobs: where they are, which limits they can be held to, and what an earlier life left. */
import type { CgroupLimits } from "../../base/job_options/cgroup_limits.ts";
import { Backoff } from "../../base/backoff.ts";
import { basename, dirname, join } from "node:path";
import { Cgroup } from "./cgroup.ts";
import { CgroupUnavailableError, codeOf, enableControllers, isFile, SERVER_LEAF, tryToJoin } from "./delegation.ts";
import { type Controller, CONTROLLERS, controllersOf, diskOf, LIMITED, type LimitFile, limitFiles } from "./limits.ts";
import { type CgroupPlace, ownCgroup } from "./own_cgroup.ts";
import { NotEnforceableError } from "../errors.ts";

/** Options of a tree. */
export interface CgroupTreeOptions {
  /** The cgroup below which jobs get theirs, as a directory; this process's own unless given. */
  readonly base?: string;
  /** Of the cgroup in which those of the jobs are. One server at a time has it. */
  readonly name: string;
  /** Where /proc is mounted. */
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
   * Makes the cgroup for the cgroups of jobs and enables all controllers that can be had. The cgroup above must have no
   * processes for that, so this process moves to `SERVER_LEAF` in it first, where it is alone.
   *
   * @throws {CgroupUnavailableError} where there is no cgroup of version 2, or none can be made in it and joined
   */
  static open(options: CgroupTreeOptions): CgroupTree {
    const own = options.base === undefined ? ownBase(options.proc ?? "/proc") : undefined;
    const base = options.base ?? own?.directory ?? "";
    // In a directory that is none, or one of version 1, "cgroups" could be made too, and would hold nobody.
    if (!isFile(`${base}/cgroup.controllers`)) throw new CgroupUnavailableError(`"${base}" is no cgroup of version 2`);
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
  const backoff = new Backoff(FIRST_CHECK_MS);
  while (cgroup.isPopulated && performance.now() < end) {
    await backoff.wait();
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

function deviceOf(path: string): number {
  try {
    return Deno.statSync(path).dev;
  } catch (error) {
    throw new NotEnforceableError(
      `Cannot limit disk bandwidth for ${JSON.stringify(path)}: it cannot be looked at (${codeOf(error)})`,
    );
  }
}
