/**
 * The limits that only a cgroup can hold a job to: what they may be, and how the kernel wants them written. Source:
 * Documentation/admin-guide/cgroup-v2.rst of Linux.
 */
import type { CgroupLimits } from "../../base/job_options/cgroup_limits.ts";
import { NotEnforceableError } from "../errors.ts";

/** A part of the kernel that limits and counts one thing. */
export type Controller = "cpu" | "io" | "memory" | "pids";

/** All that this library knows. */
export const CONTROLLERS: readonly Controller[] = ["cpu", "io", "memory", "pids"];

/** What cannot be limited without the controller, in words. */
export const LIMITED: Readonly<Record<Controller, string>> = {
  cpu: "cores",
  io: "disk bandwidth",
  memory: "memory",
  pids: "the number of processes",
};

/** The kernel's default period. */
const CPU_PERIOD_US = 100_000;

/** The controllers that limits need. */
export function controllersOf(limits: CgroupLimits): Controller[] {
  return CONTROLLERS.filter((controller) => {
    switch (controller) {
      case "cpu":
        return limits.maxCpus !== undefined;
      case "io":
        return limits.maxReadBytesPerS !== undefined || limits.maxWriteBytesPerS !== undefined;
      case "memory":
        return limits.maxMemoryBytes !== undefined;
      case "pids":
        return limits.maxProcesses !== undefined;
    }
  });
}

/** A file of a cgroup and what is to be written to it. */
export interface LimitFile {
  readonly name: string;
  readonly text: string;
  /** A kernel without the file needs none: it is one without swap, or an older one. */
  readonly isOptional?: true;
}

/**
 * The files that hold a cgroup to limits, in the order in which they are to be written.
 *
 * @param device of the limits on a disk, as `major:minor`
 */
export function limitFiles(limits: CgroupLimits, device: string | undefined): LimitFile[] {
  const { maxMemoryBytes, maxCpus, maxProcesses, maxReadBytesPerS, maxWriteBytesPerS } = limits;
  const files: LimitFile[] = [];
  if (maxMemoryBytes !== undefined) {
    files.push({ name: "memory.max", text: `${maxMemoryBytes}` });
    // Or a job over its limit would not end but fill the host's swap.
    files.push({ name: "memory.swap.max", text: "0", isOptional: true });
    // Half a job is worth nothing, and hard to understand.
    files.push({ name: "memory.oom.group", text: "1", isOptional: true });
  }
  if (maxCpus !== undefined) {
    files.push({ name: "cpu.max", text: `${Math.round(maxCpus * CPU_PERIOD_US)} ${CPU_PERIOD_US}` });
  }
  if (maxProcesses !== undefined) files.push({ name: "pids.max", text: `${maxProcesses}` });
  if (device !== undefined) {
    const read = maxReadBytesPerS === undefined ? "" : ` rbps=${maxReadBytesPerS}`;
    const write = maxWriteBytesPerS === undefined ? "" : ` wbps=${maxWriteBytesPerS}`;
    files.push({ name: "io.max", text: `${device}${read}${write}` });
  }
  return files;
}

/**
 * The disk that a path is on, as io.max wants it: the whole one and not its partition.
 *
 * @param dev the number of the device, as stat(2) gives it
 * @param sysfs where sysfs is mounted
 * @throws {NotEnforceableError} where that is no block device: a file system in memory, over the network, or of layers
 */
export function diskOf(path: string, dev: number, sysfs = "/sys"): string {
  // As gnu_dev_major and gnu_dev_minor of glibc take it apart: makedev(3).
  const number = BigInt(dev);
  const major = Number(((number >> 8n) & 0xfffn) | ((number >> 32n) & 0xfffff000n));
  const minor = Number((number & 0xffn) | ((number >> 12n) & 0xffffff00n));
  const entry = `${sysfs}/dev/block/${major}:${minor}`;
  try {
    const isPartition = exists(`${entry}/partition`);
    // A partition's directory lies in that of its disk.
    return Deno.readTextFileSync(isPartition ? `${Deno.realPathSync(entry)}/../dev` : `${entry}/dev`).trim();
  } catch {
    throw new NotEnforceableError(
      `Cannot limit disk bandwidth for ${JSON.stringify(path)}: it is on no disk of this host's: give another path`,
    );
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
