/** Measures what a job uses: as the kernel counts it, or as /proc shows it. */
import type { Cgroup } from "../cgroup/cgroup.ts";
import { type Membership, membersOf } from "./members.ts";
import { type CpuTicks, type ProcessEntry, readMemory, scanProcesses } from "../linux/procfs.ts";
import { defined } from "../../base/defined.ts";

/**
 * The source of a figure.
 *
 * - `CGROUP`: the kernel counted it for all processes of the job
 * - `RUSAGE`: the kernel counted it, in hundredths of a second, for the leader and the children that it waited for
 *   (getrusage(2)). Survivors are not included
 * - `PROC`: /proc showed it when a caller asked for the usage. The true figure is at least as high
 */
export type UsageSource = "CGROUP" | "RUSAGE" | "PROC";

/** The usage of a job. An unknown figure is absent. */
export interface Usage {
  /** Processor time in user mode, in microseconds. */
  readonly cpuUserUs?: number;
  /** Processor time in the kernel, in microseconds. */
  readonly cpuSystemUs?: number;
  readonly cpuSource?: UsageSource;
  /** The memory that it uses now. Only while it runs. */
  readonly memoryBytes?: number;
  readonly peakMemoryBytes?: number;
  readonly memorySource?: UsageSource;
  /** The number of processes now. Only while it runs. */
  readonly processes?: number;
  /** The number of its processes that the kernel killed for lack of memory. */
  readonly oomKills?: number;
}

/** The unit of times in /proc, in microseconds: USER_HZ, time(7). */
const TICK_US = 10_000;

/** Measures what a job uses when a caller asks, and keeps the highest figures. */
export class Meter {
  readonly #job: Membership;
  readonly #cgroup: Cgroup | undefined;
  #seenTicks: CpuTicks | undefined;
  #peakBytes: number | undefined;

  /** @param cgroup the job's cgroup, whose figures replace those of /proc; undefined if it has none */
  constructor(job: Membership, cgroup?: Cgroup) {
    this.#job = job;
    this.#cgroup = cgroup;
  }

  /** Returns what the job has used so far, and uses now. */
  async now(): Promise<Usage> {
    const counted = this.#cgroup?.usage();
    if (counted?.memoryBytes !== undefined) {
      return {
        ...this.#figures(undefined),
        memoryBytes: counted.memoryBytes,
        processes: this.#cgroup?.pids().length ?? 0,
      };
    }
    const members = membersOf(await scanProcesses() ?? [], this.#job);
    const memoryBytes = this.note(members);
    const processes = this.#cgroup?.pids().length ?? members.length;
    return { ...this.#figures(undefined), ...defined({ memoryBytes }), processes };
  }

  /**
   * Returns what the job has used in all. Call it before the cgroup is removed.
   *
   * @param children the usage of the leader and its children, see child_rusage.ts; undefined if unknown
   */
  final(children: CpuTicks | undefined): Usage {
    return this.#figures(children);
  }

  /** Notes what processes of the job have used. Returns their memory now, in bytes; undefined if they are gone. */
  note(members: readonly ProcessEntry[]): number | undefined {
    const { user, system } = this.#seenTicks ?? { user: 0, system: 0 };
    this.#seenTicks = {
      user: Math.max(user, sum(members.map((entry) => entry.ticks.user))),
      system: Math.max(system, sum(members.map((entry) => entry.ticks.system))),
    };
    const memory = members.map(readMemory).filter((one) => one !== undefined);
    if (memory.length === 0) return undefined;
    const nowBytes = sum(memory.map((one) => one.nowBytes));
    this.#peakBytes = Math.max(this.#peakBytes ?? 0, nowBytes, ...memory.map((one) => one.peakBytes));
    return nowBytes;
  }

  #figures(children: CpuTicks | undefined): Usage {
    const counted = this.#cgroup?.usage();
    const oomKills = this.#cgroup?.oomKills;
    const ticks = children ?? this.#seenTicks;
    const cpu = counted ?? (ticks && { cpuUserUs: ticks.user * TICK_US, cpuSystemUs: ticks.system * TICK_US });
    const peakMemoryBytes = counted?.peakMemoryBytes ?? this.#peakBytes;
    return {
      ...(cpu === undefined ? {} : {
        cpuUserUs: cpu.cpuUserUs,
        cpuSystemUs: cpu.cpuSystemUs,
        cpuSource: counted !== undefined ? "CGROUP" : children !== undefined ? "RUSAGE" : "PROC",
      }),
      ...(peakMemoryBytes === undefined
        ? {}
        : { peakMemoryBytes, memorySource: counted?.peakMemoryBytes === undefined ? "PROC" : "CGROUP" }),
      ...defined({ oomKills }),
    };
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}
