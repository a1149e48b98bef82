/** The limits that the kernel holds each process of a job to, setrlimit(2). They need no cgroup. */
import type { LaunchStep, NumberMember } from "./descriptor.ts";

/**
 * The limits of each process of a job. Neither the process nor its children can raise them again, unless they are root's.
 * The soft and the hard limit are the same, except for processor time. Source: setrlimit(2).
 *
 * @example
 * ```ts
 * import { Process } from "../../worker/process/process.ts";
 *
 * const process = new Process("sh", ["-c", "ulimit -n"], { rlimits: { openFiles: 64 } });
 * await process.start();
 * ```
 */
export interface Rlimits {
  /** RLIMIT_AS: mapped memory in bytes, rounded down to 1,024. Requests for more fail with ENOMEM. */
  readonly addressSpaceBytes?: number;
  /** RLIMIT_CPU: processor time in seconds. The process gets SIGXCPU at the limit and SIGKILL a second later. */
  readonly cpuSeconds?: number;
  /** RLIMIT_NOFILE: the number of open descriptors, at least 20. */
  readonly openFiles?: number;
  /** RLIMIT_CORE: the size of a core file in bytes, rounded down to 512. 0 disables core files. */
  readonly coreBytes?: number;
  /** RLIMIT_FSIZE: the size to which a file may grow in bytes, rounded down to 512. Writes beyond get SIGXFSZ. */
  readonly fileBytes?: number;
  /** RLIMIT_NPROC: the processes and threads of the job's user, in all jobs together. Does not apply to root. */
  readonly processes?: number;
}

/** The name of one of the limits. */
export type RlimitName = keyof Rlimits;

/** The descriptor of one of the limits. */
export interface RlimitMember extends NumberMember {
  readonly word: string;
  /** The beginning of its line in proc_pid_limits(5). */
  readonly procName: string;
  readonly launch: LaunchStep;
}

/** The descriptors in the order in which the launcher sets the limits: what hinders the launcher itself comes last. */
export const RLIMITS = {
  coreBytes: {
    kind: "integer",
    field: "core_bytes",
    word: "core",
    notation: "size",
    noun: "limit on core size",
    unit: "bytes",
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    text: (bytes) => `core=${bytes}`,
    procName: "Max core file size",
    launch: ulimit('ulimit -c "$1"', "core size", 512),
  },
  fileBytes: {
    kind: "integer",
    field: "file_bytes",
    word: "fsize",
    notation: "size",
    noun: "limit on file size",
    unit: "bytes",
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    text: (bytes) => `fsize=${bytes}`,
    procName: "Max file size",
    launch: ulimit('ulimit -f "$1"', "file size", 512),
  },
  cpuSeconds: {
    kind: "integer",
    field: "cpu_seconds",
    word: "cpu",
    notation: "seconds",
    noun: "limit on processor time",
    unit: "seconds",
    min: 1,
    max: Number.MAX_SAFE_INTEGER,
    text: (seconds) => `cpu=${seconds}`,
    procName: "Max cpu time",
    // The kernel kills at the hard limit without SIGXCPU. So the hard limit is a second later, if the server's own allows.
    launch: ulimit(
      'ulimit -S -t "$1" && { ulimit -H -t "$(($1 + 1))" 2>/dev/null || ulimit -H -t "$1"; }',
      "processor time",
    ),
  },
  openFiles: {
    kind: "integer",
    field: "open_files",
    word: "nofile",
    notation: "count",
    noun: "limit on open files",
    // _POSIX_OPEN_MAX: every program may count on 20, and the launcher's shell does.
    min: 20,
    max: Number.MAX_SAFE_INTEGER,
    text: (count) => `nofile=${count}`,
    procName: "Max open files",
    launch: ulimit('ulimit -n "$1"', "open files"),
  },
  processes: {
    kind: "integer",
    field: "processes",
    word: "nproc",
    notation: "count",
    noun: "limit on processes",
    min: 1,
    max: Number.MAX_SAFE_INTEGER,
    text: (count) => `nproc=${count}`,
    procName: "Max processes",
    // The option is -p in dash and busybox, -u in bash. All other letters are the same in all shells.
    launch: ulimit('ulimit -p "$1" 2>/dev/null || ulimit -u "$1"', "processes"),
  },
  addressSpaceBytes: {
    kind: "integer",
    field: "address_space_bytes",
    word: "as",
    notation: "size",
    noun: "limit on address space",
    unit: "bytes",
    min: 1_024,
    max: Number.MAX_SAFE_INTEGER,
    text: (bytes) => `as=${bytes}`,
    procName: "Max address space",
    launch: ulimit('ulimit -v "$1"', "address space", 1_024),
  },
} as const satisfies { readonly [Name in RlimitName]-?: RlimitMember };

/** The names of the limits, in the order of {@linkcode RLIMITS}. */
export const RLIMIT_NAMES: readonly RlimitName[] = Object.keys(RLIMITS) as RlimitName[];

/** @param unitBytes what the shell counts in: POSIX.1-2017 ulimit for files, all shells alike for the others */
function ulimit(script: string, words: string, unitBytes = 1): LaunchStep {
  return {
    stage: "last",
    script,
    argument: (value) => `${Math.floor(value / unitBytes)}`,
    failure: `the limit on ${words} could not be set`,
  };
}
