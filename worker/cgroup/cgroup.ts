/** The cgroup of one job, version 2: lists, signals, kills, freezes and measures its processes. */
import { existsSync } from "node:fs";
import { sendNow } from "../linux/signals.ts";

/** The usage of all processes of a cgroup, ended ones included, as the kernel counted it. */
export interface CgroupUsage {
  /** Processor time in user mode, in microseconds. */
  readonly cpuUserUs: number;
  /** Processor time in the kernel, in microseconds. */
  readonly cpuSystemUs: number;
  /** The memory in use, in bytes. Undefined without the memory controller. */
  readonly memoryBytes: number | undefined;
  /** The most memory that was in use, in bytes. Undefined without the controller, and before Linux 5.19. */
  readonly peakMemoryBytes: number | undefined;
}

/**
 * The cgroup of one job. Its processes may create cgroups below it, which belong to it.
 *
 * Source: Documentation/admin-guide/cgroup-v2.rst of Linux.
 */
export class Cgroup {
  /** The directory of the cgroup. A process joins it through the file `cgroup.procs` there. */
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** Returns the pids of its living processes. Processes of another pid namespace have no pid here and are left out. */
  pids(): number[] {
    return [this.directory, ...below(this.directory)].flatMap(pidsOf);
  }

  /** True if it has a living process. */
  get isPopulated(): boolean {
    return this.#event("populated") === 1;
  }

  /** True if all its processes are frozen. */
  get isFrozen(): boolean {
    return this.#event("frozen") === 1;
  }

  #event(name: string): number | undefined {
    return flat(readText(`${this.directory}/cgroup.events`)).get(name);
  }

  /** Sends a signal to each process, right after reading its pid. */
  signal(signal: Deno.Signal): void {
    for (const pid of this.pids()) sendNow(pid, signal);
  }

  /** Kills all its processes at once, also those being forked. Before Linux 5.14 it misses those: check and repeat. */
  kill(): void {
    if (!this.#write("cgroup.kill", "1")) this.signal("SIGKILL");
  }

  /**
   * Freezes or thaws its processes. SIGKILL ends frozen processes too. They handle other signals once they are thawed.
   *
   * @returns false if the kernel cannot freeze (before Linux 5.2)
   */
  freeze(frozen: boolean): boolean {
    return this.#write("cgroup.freeze", frozen ? "1" : "0");
  }

  /** Returns what its processes have used. Undefined if it no longer exists. */
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

  /** The number of its processes that the kernel killed for lack of memory. Undefined without the memory controller. */
  get oomKills(): number | undefined {
    return flat(readText(`${this.directory}/memory.events`)).get("oom_kill");
  }

  /**
   * Removes it and the cgroups below it.
   *
   * @returns false if it still has a living process
   */
  remove(): boolean {
    // Few jobs create cgroups below their own.
    if (removed(this.directory)) return true;
    for (const directory of below(this.directory).reverse()) removed(directory);
    return removed(this.directory);
  }

  #write(name: string, text: string): boolean {
    try {
      Deno.writeTextFileSync(`${this.directory}/${name}`, text);
      return true;
    } catch {
      return false; // The kernel has no such file, or the cgroup no longer exists.
    }
  }
}

/** Removes an empty cgroup. Returns true if it no longer exists. */
function removed(directory: string): boolean {
  try {
    Deno.removeSync(directory);
    return true;
  } catch (error) {
    return error instanceof Deno.errors.NotFound;
  }
}

/** Returns the pids of one cgroup, without the cgroups below it. */
function pidsOf(directory: string): number[] {
  const text = readText(`${directory}/cgroup.procs`) ?? "";
  // 0 means a process of another pid namespace.
  return text.split("\n").map(Number).filter((pid) => pid > 0);
}

/** Returns the cgroups below one, each after its parent. */
function below(directory: string): string[] {
  const found: string[] = [];
  try {
    for (const { name, isDirectory } of Deno.readDirSync(directory)) {
      if (isDirectory) found.push(`${directory}/${name}`, ...below(`${directory}/${name}`));
    }
  } catch {
    // It no longer exists.
  }
  return found;
}

function readText(path: string): string | undefined {
  try {
    // Without the memory controller, each job would otherwise cause four exceptions: 0.1 ms.
    if (!existsSync(path)) return undefined;
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}

function readNumber(path: string): number | undefined {
  const text = readText(path)?.trim();
  return text !== undefined && /^[0-9]+$/.test(text) ? Number(text) : undefined;
}

/** Returns the names and numbers in a "flat keyed" file. */
function flat(text: string | undefined): Map<string, number> {
  const lines = text?.split("\n") ?? [];
  return new Map(lines.map((line) => line.split(" ", 2)).map(([name = "", value]) => [name, Number(value)]));
}
