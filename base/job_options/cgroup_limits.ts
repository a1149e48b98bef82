/** The limits that a cgroup holds all processes of a job to. Source: cgroup-v2.rst of Linux. */
import type { Members } from "./descriptor.ts";

/** The limits of all processes of a job together. An absent limit means unlimited. */
export interface CgroupLimits {
  /** Memory in bytes, page cache included. The job uses no swap then. A job that needs more ends with `OUT_OF_MEMORY`. */
  readonly maxMemoryBytes?: number;
  /** Cores, such as 1.5: 0.15 s of processor time in each tenth of a second, on any cores. */
  readonly maxCpus?: number;
  /** The number of processes and threads at a time. Starting one more fails with EAGAIN. */
  readonly maxProcesses?: number;
  /** Bytes read from a disk in a second. Reads from the page cache do not count. */
  readonly maxReadBytesPerS?: number;
  /** Bytes written to a disk in a second. */
  readonly maxWriteBytesPerS?: number;
  /** A path on the disk for the two limits above. Absent: the job's working directory. */
  readonly ioPath?: string;
}

/** The descriptors of the limits. */
export const CGROUP_LIMITS = {
  maxMemoryBytes: {
    kind: "integer",
    field: "memory_bytes",
    notation: "size",
    noun: "memory limit",
    unit: "bytes",
    // The shell that joins the cgroup for the job needs as much.
    min: 1_048_576,
    max: Number.MAX_SAFE_INTEGER,
    flag: {
      syntax: "--memory <SIZE>",
      help: "memory for all processes of the job; a job that needs more is killed",
    },
    text: (bytes) => `${bytes} bytes of memory`,
  },
  maxCpus: {
    kind: "decimal",
    field: "cpus",
    notation: "decimal",
    noun: "limit on cores",
    // The kernel's quota is at least 1,000 µs of a period of 100,000 µs.
    min: 0.01,
    // More than any machine has.
    max: 65_536,
    flag: {
      syntax: "--cpus <NUMBER>",
      help: "cores for all processes of the job, such as 1.5",
    },
    text: (cores) => `${cores} cores`,
  },
  maxProcesses: {
    kind: "integer",
    field: "processes",
    notation: "count",
    noun: "limit on processes",
    min: 1,
    // PID_MAX_LIMIT on 64-bit systems; proc_sys_kernel(5).
    max: 4_194_304,
    flag: {
      syntax: "--pids <COUNT>",
      help: "processes and threads that the job may have at a time",
    },
    text: (count) => `${count} processes`,
  },
  maxReadBytesPerS: {
    kind: "integer",
    field: "read_bytes_per_s",
    notation: "size",
    noun: "limit on reading",
    unit: "bytes per second",
    min: 1,
    max: Number.MAX_SAFE_INTEGER,
    flag: {
      syntax: "--read-rate <SIZE>",
      help: "bytes per second that the job may read from its disk",
    },
    text: (bytes) => `reading ${bytes} bytes/s`,
  },
  maxWriteBytesPerS: {
    kind: "integer",
    field: "write_bytes_per_s",
    notation: "size",
    noun: "limit on writing",
    unit: "bytes per second",
    min: 1,
    max: Number.MAX_SAFE_INTEGER,
    flag: {
      syntax: "--write-rate <SIZE>",
      help: "bytes per second that the job may write to its disk",
    },
    text: (bytes) => `writing ${bytes} bytes/s`,
  },
  ioPath: {
    kind: "text",
    field: "io_path",
    noun: "path for disk limits",
    pattern: /^\/[^\0]*$/,
    must: "an absolute path",
    flag: {
      syntax: "--io-path <PATH>",
      help: "a path on the disk of --read-rate and --write-rate (default: its working directory)",
    },
    text: (path) => `on the disk of ${path}`,
  },
} as const satisfies Members<CgroupLimits>;

/** The name of a limit that is a number. */
export type CgroupAmount = Exclude<keyof CgroupLimits, "ioPath">;

/** The names of the limits that are numbers, in the order of {@linkcode CGROUP_LIMITS}. */
export const CGROUP_AMOUNTS: readonly CgroupAmount[] = (Object.keys(CGROUP_LIMITS) as (keyof CgroupLimits)[])
  .filter((name): name is CgroupAmount => CGROUP_LIMITS[name].kind !== "text");
