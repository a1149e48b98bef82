/** Measures what a server and its processes cost while clients use it. */
import { childrenOf, cpuMs, endedChildrenCpuMs, peakBytes, resetPeak, threadCpuMs } from "../process_facts.ts";
import type { Teleportd } from "../stage.ts";
import type { Sshd } from "./sshd.ts";

/** The costs of a server during a transfer. */
export interface ServerCosts {
  readonly cpuSeconds: number;
  /** The processor time of the programs that it ran. Absent when it is a part of `cpuSeconds`. */
  readonly jobSeconds?: number;
  /** The processor time of the busiest main thread. Absent when it is not known. */
  readonly busySeconds?: number;
  readonly peakBytes: number;
}

/** A measurement that has begun. */
export interface ServerMeter {
  /** Called now and then during the transfer. */
  sample(): void;
  end(): Promise<ServerCosts>;
}

const sum = (values: readonly number[]) => values.reduce((one, other) => one + other, 0);

/** Begins to measure a teleportd and its job host. */
export async function meterTeleportd(teleportd: Teleportd): Promise<ServerMeter> {
  const pids = await teleportd.pids();
  for (const pid of pids) resetPeak(pid);
  const read = () => ({
    cpu: sum(pids.map(cpuMs)),
    jobs: sum(pids.map(endedChildrenCpuMs)),
    threads: pids.map(threadCpuMs),
  });
  const before = read();
  return {
    sample() {},
    end() {
      const after = read();
      return Promise.resolve({
        cpuSeconds: (after.cpu - before.cpu) / 1_000,
        jobSeconds: (after.jobs - before.jobs) / 1_000,
        busySeconds: Math.max(...after.threads.map((ms, index) => ms - (before.threads[index] ?? 0))) / 1_000,
        peakBytes: sum(pids.map(peakBytes)),
      });
    },
  };
}

/** Returns all processes below one. */
function descendants(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendants(child)]);
}

/** The longest wait for the last session to end, in milliseconds. */
const SESSION_END_MS = 5_000;

/** Begins to measure an OpenSSH server. The programs that it runs are a part of its processor time. */
export function meterSshd({ pid }: Sshd): ServerMeter {
  const before = cpuMs(pid) + endedChildrenCpuMs(pid);
  const peaks = new Map<number, number>();
  return {
    sample() {
      try {
        for (const child of descendants(pid)) peaks.set(child, peakBytes(child));
      } catch {
        // One has just ended.
      }
    },
    async end() {
      // The time of a session counts once its process has ended.
      const until = performance.now() + SESSION_END_MS;
      while (childrenOf(pid).length > 0) {
        if (performance.now() > until) throw new Error(`A session of sshd is left after ${SESSION_END_MS} ms`);
        await new Promise((wake) => setTimeout(wake, 5));
      }
      const after = cpuMs(pid) + endedChildrenCpuMs(pid);
      return { cpuSeconds: (after - before) / 1_000, peakBytes: peakBytes(pid) + sum([...peaks.values()]) };
    },
  };
}
