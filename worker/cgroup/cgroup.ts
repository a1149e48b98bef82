/** One job's cgroup, of version 2: its processes, their end, their pause, and what they used. */
import { sendNow } from "../linux/signals.ts";

/** What the kernel counted for all processes of a cgroup, those that have ended included. */
export interface CgroupUsage {
  readonly cpuUserUs: number;
  readonly cpuSystemUs: number;
  /** Undefined without the controller for memory. */
  readonly memoryBytes: number | undefined;
  /** Undefined without it, and before Linux 5.19. */
  readonly peakMemoryBytes: number | undefined;
}

/**
 * One job's cgroup. Its processes may make further ones below it, which belong to it.
 *
 * Source: Documentation/admin-guide/cgroup-v2.rst of Linux.
 */
export class Cgroup {
  /** To join it, a process writes itself into `cgroup.procs` there. */
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** The living processes in it. Those of another pid namespace cannot be named, and are left out. */
  pids(): number[] {
    return [this.directory, ...below(this.directory)].flatMap(pidsOf);
  }

  /** Whether anything lives in it. */
  get isPopulated(): boolean {
    return this.#event("populated") === 1;
  }

  /** Whether all in it stand still. */
  get isFrozen(): boolean {
    return this.#event("frozen") === 1;
  }

  #event(name: string): number | undefined {
    return flat(readText(`${this.directory}/cgroup.events`)).get(name);
  }

  /** Sends a signal to each process. Between the look and the signal nothing is waited for. */
  signal(signal: Deno.Signal): void {
    for (const pid of this.pids()) sendNow(pid, signal);
  }

  /** Kills everything in it at once, whatever forks meanwhile. Before Linux 5.14 what it has now; then look again. */
  kill(): void {
    if (!this.#write("cgroup.kill", "1")) this.signal("SIGKILL");
  }

  /**
   * Lets its processes stand still, or go on. SIGKILL ends them all the same; other signals they hear when they go on.
   *
   * @returns false where the kernel cannot (before Linux 5.2)
   */
  freeze(frozen: boolean): boolean {
    return this.#write("cgroup.freeze", frozen ? "1" : "0");
  }

  /** What its processes have used; undefined when it is gone. */
  usage(): CgroupUsage | undefined {
    const cpu = flat(readText(`${this.directory}/cpu.stat`));
    const cpuUserUs = cpu.get("user_usec");
    const cpuSystemUs = cpu.get("system_usec");
    if (cpuUserUs === undefined || cpuSystemUs === undefined) return undefined;
    return {
      cpuUserUs,
      cpuSystemUs,
      memoryBytes: readNumber(`${this.directory}/memory.current`),
      peakMemoryBytes: readNumber(`${this.directory}/memory.peak`),
    };
  }

  /** How many of its processes were killed for lack of memory; undefined without the controller for memory. */
  get oomKills(): number | undefined {
    return flat(readText(`${this.directory}/memory.events`)).get("oom_kill");
  }

  /**
   * Removes it and those below it.
   *
   * @returns false where something lives in it still
   */
  remove(): boolean {
    // Few jobs make cgroups of their own.
    if (removed(this.directory)) return true;
    for (const directory of below(this.directory).reverse()) removed(directory);
    return removed(this.directory);
  }

  #write(name: string, text: string): boolean {
    try {
      Deno.writeTextFileSync(`${this.directory}/${name}`, text);
      return true;
    } catch {
      return false; // The kernel has no such file, or the cgroup is gone and there is nothing to do.
    }
  }
}

function removed(directory: string): boolean {
  try {
    Deno.removeSync(directory);
    return true;
  } catch (error) {
    return error instanceof Deno.errors.NotFound;
  }
}

/** The processes of one cgroup, without those below it. */
function pidsOf(directory: string): number[] {
  const text = readText(`${directory}/cgroup.procs`) ?? "";
  // 0 stands for a process that this pid namespace does not show.
  return text.split("\n").map(Number).filter((pid) => pid > 0);
}

/** The cgroups below one, each behind the one it lies in. */
function below(directory: string): string[] {
  const found: string[] = [];
  try {
    for (const { name, isDirectory } of Deno.readDirSync(directory)) {
      if (isDirectory) found.push(`${directory}/${name}`, ...below(`${directory}/${name}`));
    }
  } catch {
    // It is gone.
  }
  return found;
}

function readText(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}

function readNumber(path: string): number | undefined {
  const text = readText(path)?.trim();
  return text !== undefined && /^[0-9]+$/.test(text) ? Number(text) : undefined;
}

/** The lines of a file of names and numbers. */
function flat(text: string | undefined): Map<string, number> {
  const lines = text?.split("\n") ?? [];
  return new Map(lines.map((line) => line.split(" ", 2)).map(([name = "", value]) => [name, Number(value)]));
}
