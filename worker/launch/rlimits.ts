/** The limits that the kernel holds each process of a job to, setrlimit(2): they need no cgroup. */
import { InvalidArgumentError } from "../errors.ts";

/**
 * Limits of each process of a job, which it and its children cannot raise again (root can). Soft and hard limit are the
 * same, but for processor time. Source: setrlimit(2).
 *
 * @example
 * ```ts
 * import { Process } from "../process/process.ts";
 *
 * const process = new Process("sh", ["-c", "ulimit -n"], { rlimits: { openFiles: 64 } });
 * await process.start();
 * ```
 */
export interface Rlimits {
  /** RLIMIT_AS: memory that is mapped, in bytes, rounded down to 1,024: what is asked for beyond fails with ENOMEM. */
  readonly addressSpaceBytes?: number;
  /** RLIMIT_CPU: processor time, in seconds: SIGXCPU when it is used up, SIGKILL a second later. */
  readonly cpuSeconds?: number;
  /** RLIMIT_NOFILE: descriptors open at a time, at least 20. */
  readonly openFiles?: number;
  /** RLIMIT_CORE: size of a core file, in bytes, rounded down to 512; 0: none is written. */
  readonly coreBytes?: number;
  /** RLIMIT_FSIZE: size to which a file may be written, in bytes, rounded down to 512: SIGXFSZ beyond. */
  readonly fileBytes?: number;
  /** RLIMIT_NPROC: processes and threads of the job's user, those of others' jobs included. Root is not held to it. */
  readonly processes?: number;
}

/** One of the limits. */
export type RlimitName = keyof Rlimits;

/** What is known of each limit: its words for people, its line in proc_pid_limits(5), and how ulimit of sh counts it. */
export interface RlimitKind {
  readonly words: string;
  readonly procName: string;
  readonly unitBytes: number;
  readonly min: number;
}

/** In the order in which they are set. Units: POSIX.1-2017 ulimit for files, and what all shells have for the others. */
export const RLIMIT_KINDS: Readonly<Record<RlimitName, RlimitKind>> = {
  coreBytes: { words: "core size", procName: "Max core file size", unitBytes: 512, min: 0 },
  fileBytes: { words: "file size", procName: "Max file size", unitBytes: 512, min: 0 },
  cpuSeconds: { words: "processor time", procName: "Max cpu time", unitBytes: 1, min: 1 },
  // _POSIX_OPEN_MAX: so many every program may count on, and the launcher's shell does.
  openFiles: { words: "open files", procName: "Max open files", unitBytes: 1, min: 20 },
  processes: { words: "processes", procName: "Max processes", unitBytes: 1, min: 1 },
  addressSpaceBytes: { words: "address space", procName: "Max address space", unitBytes: 1_024, min: 1_024 },
};

/** The names of the limits, in the order in which they are set. */
export const RLIMIT_NAMES: readonly RlimitName[] = Object.keys(RLIMIT_KINDS) as RlimitName[];

/** @throws {InvalidArgumentError} when a limit is no whole number, or too small for anything to run */
export function checkRlimits(limits: Rlimits): void {
  for (const name of RLIMIT_NAMES) {
    const value = limits[name];
    const { words, min } = RLIMIT_KINDS[name];
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= min)) {
      throw new InvalidArgumentError(`Invalid limit on ${words} "${value}": give a whole number from ${min}`);
    }
  }
}
