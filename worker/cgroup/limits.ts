/**
 * The limits that only a cgroup can enforce, and the files in which the kernel expects them. Source:
 * Documentation/admin-guide/cgroup-v2.rst of Linux.
 */
import type { CgroupLimits } from "../../base/job_options/cgroup_limits.ts";
import { NotEnforceableError } from "../errors.ts";

/** A part of the kernel that limits and counts one thing. */
export type Controller = "cpu" | "io" | "memory" | "pids";

/** The controllers that this library uses. */
export const CONTROLLERS: readonly Controller[] = ["cpu", "io", "memory", "pids"];

/** The resource that each controller limits, in words. */
export const LIMITED: Readonly<Record<Controller, string>> = {
  cpu: "cores",
  io: "disk bandwidth",
  memory: "memory",
  pids: "the number of processes",
};

/** The kernel's default period, in microseconds. */
const CPU_PERIOD_US = 100_000;

/** Returns the controllers that limits need. */
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

/** A file of a cgroup, and the text to write to it. */
export interface LimitFile {
  readonly name: string;
  readonly text: string;
  /** True if a kernel may lack the file, because it has no swap or is older. */
  readonly isOptional?: true;
}

/**
 * Returns the files that limit a cgroup, in the order in which to write them.
 *
 * @param device the disk of the limits on bandwidth, as `major:minor`; undefined without such limits
 */
export function limitFiles(limits: CgroupLimits, device: string | undefined): LimitFile[] {
  const { maxMemoryBytes, maxCpus, maxProcesses, maxReadBytesPerS, maxWriteBytesPerS } = limits;
  const files: LimitFile[] = [];
  if (maxMemoryBytes !== undefined) {
    files.push({ name: "memory.max", text: `${maxMemoryBytes}` });
    // Otherwise a job over its limit would fill the host's swap instead of ending.
    files.push({ name: "memory.swap.max", text: "0", isOptional: true });
    // Part of a job is useless, and hard to diagnose.
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
 * Returns the disk of a path as io.max expects it: the whole disk, not its partition.
 *
 * @param dev the number of the device, from stat(2)
 * @param sysfs the directory where sysfs is mounted
 * @throws {NotEnforceableError} when the path is not on a block device: a file system in memory, on the network, or an
 * overlay
 */
export function diskOf(path: string, dev: number, sysfs = "/sys"): string {
  // The same as gnu_dev_major and gnu_dev_minor of glibc: makedev(3).
  const number = BigInt(dev);
  const major = Number(((number >> 8n) & 0xfffn) | ((number >> 32n) & 0xfffff000n));
  const minor = Number((number & 0xffn) | ((number >> 12n) & 0xffffff00n));
  const entry = `${sysfs}/dev/block/${major}:${minor}`;
  try {
    const isPartition = exists(`${entry}/partition`);
    // The directory of a partition is in the directory of its disk.
    return Deno.readTextFileSync(isPartition ? `${Deno.realPathSync(entry)}/../dev` : `${entry}/dev`).trim();
  } catch {
    throw new NotEnforceableError(
      `Cannot limit disk bandwidth for ${JSON.stringify(path)}: it is not on a disk of this host: give another path`,
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
