/** What a job has used, and how that is known: counted by the kernel, or put together from what was seen of it. */
import type { Cgroup } from "../cgroup/cgroup.ts";
import { type Membership, membersOf } from "./members.ts";
import { type CpuTicks, type ProcessEntry, readMemory, scanProcesses } from "../linux/procfs.ts";
import { defined } from "../../base/defined.ts";

/**
 * Where a figure is from.
 *
 * - `CGROUP`: the kernel counted it for all processes of the job
 * - `RUSAGE`: the kernel counted it for the leader and all that was waited for (getrusage(2), children), in hundredths of
 *   a second. What was left behind is not in it
 * - `PROC`: seen in /proc while processes lived, when somebody asked. It was at least so much
 */
export type UsageSource = "CGROUP" | "RUSAGE" | "PROC";

/** What a job has used. What nobody knows is absent. */
export interface Usage {
  /** Processor time in microseconds. */
  readonly cpuUserUs?: number;
  readonly cpuSystemUs?: number;
  readonly cpuSource?: UsageSource;
  /** Now; only while it runs. */
  readonly memoryBytes?: number;
  readonly peakMemoryBytes?: number;
  readonly memorySource?: UsageSource;
  /** Processes now; only while it runs. */
  readonly processes?: number;
  /** Processes of it that the kernel killed for lack of memory. */
  readonly oomKills?: number;
}

/** Linux gives times in /proc in hundredths of a second, whatever its own clock does: USER_HZ, time(7). */
const TICK_US = 10_000;

/** Reads what a job uses, and keeps the most that was seen. Nothing is measured while nobody asks. */
export class Meter {
  readonly #job: Membership;
  readonly #cgroup: Cgroup | undefined;
  #seenTicks: CpuTicks | undefined;
  #peakBytes: number | undefined;

  /** @param cgroup where the job has one: what the kernel counts there is not put together here */
  constructor(job: Membership, cgroup?: Cgroup) {
    this.#job = job;
    this.#cgroup = cgroup;
  }

  /** What it has used so far, and uses now. */
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
   * What it has used in all. Not when its cgroup is removed.
   *
   * @param children what the kernel counted when its leader was waited for; undefined where that is not known
   */
  final(children: CpuTicks | undefined): Usage {
    return this.#figures(children);
  }

  /** Looks at processes of the job. Returns the memory they have now; undefined when they are gone. */
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
