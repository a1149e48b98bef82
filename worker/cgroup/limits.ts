/**
 * The limits that only a cgroup can hold a job to: what they may be, and how the kernel wants them written. Source:
 * Documentation/admin-guide/cgroup-v2.rst of Linux.
 */
import { InvalidArgumentError, NotEnforceableError } from "../errors.ts";

/** Limits on all processes of a job together. What is absent is not limited. */
export interface CgroupLimits {
  /** Bytes of memory, page cache included; swap is not used then. A job that needs more is killed (`OUT_OF_MEMORY`). */
  readonly maxMemoryBytes?: number;
  /** Cores, such as 1.5: so much processor time in each tenth of a second, on whatever cores. */
  readonly maxCpus?: number;
  /** Processes and threads at the same time; to start one more fails (EAGAIN). */
  readonly maxProcesses?: number;
  /** Bytes read from a disk in a second, past the page cache. */
  readonly maxReadBytesPerS?: number;
  /** Bytes written to a disk in a second. */
  readonly maxWriteBytesPerS?: number;
  /** A path on the disk that the two above are for; the job's working directory unless given. */
  readonly ioPath?: string;
}

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

/** With less not even the shell that joins the cgroup for the job fits in. */
const MIN_MEMORY_BYTES = 1_048_576;

/** The kernel's default period; its quota is at least 1,000 µs of it. */
const CPU_PERIOD_US = 100_000;
const MIN_CPUS = 0.01;
/** More cores than any machine has. */
const MAX_CPUS = 65_536;

/** PID_MAX_LIMIT on 64-bit systems; proc_sys_kernel(5). */
const MAX_PROCESSES = 4_194_304;

/** @throws {InvalidArgumentError} when a number is out of range, or a path is relative or for no limit */
export function checkCgroupLimits(limits: CgroupLimits): void {
  const { ioPath } = limits;
  const max = Number.MAX_SAFE_INTEGER;
  checkWhole("memory limit in bytes", limits.maxMemoryBytes, MIN_MEMORY_BYTES, max);
  checkWhole("limit on processes", limits.maxProcesses, 1, MAX_PROCESSES);
  checkWhole("limit on reading in bytes per second", limits.maxReadBytesPerS, 1, max);
  checkWhole("limit on writing in bytes per second", limits.maxWriteBytesPerS, 1, max);
  const { maxCpus } = limits;
  if (maxCpus !== undefined && !(maxCpus >= MIN_CPUS && maxCpus <= MAX_CPUS)) {
    throw new InvalidArgumentError(
      `Invalid limit on cores "${maxCpus}": give a number from ${MIN_CPUS} to ${MAX_CPUS}`,
    );
  }
  if (ioPath === undefined) return;
  if (!ioPath.startsWith("/") || ioPath.includes("\0")) {
    throw new InvalidArgumentError(
      `Invalid path for disk bandwidth ${JSON.stringify(ioPath.slice(0, 100))}: give an absolute one`,
    );
  }
  if (!controllersOf(limits).includes("io")) {
    throw new InvalidArgumentError("Path for disk bandwidth without a limit: give a limit on reading or writing too");
  }
}

function checkWhole(what: string, value: number | undefined, min: number, max: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= min && value <= max)) return;
  throw new InvalidArgumentError(`Invalid ${what} "${value}": give a whole number from ${min} to ${max}`);
}

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
