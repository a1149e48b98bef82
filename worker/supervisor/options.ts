/** The options of a supervisor, and their checks. */
import type { CgroupTree } from "../cgroup/tree.ts";
import { checkJobOptions } from "../launch/command.ts";
import type { Placing } from "../engine/placing.ts";
import type { ClosingSignal } from "./closing_signals.ts";
import { InvalidArgumentError } from "../errors.ts";
import { checkOutputLimit, type OutputLimit } from "../output/limit.ts";
import type { JobHosts } from "../host/job_hosts.ts";
import { checkLimits, type Limits } from "./job_limits.ts";

/** The default of `maxJobs`. A job and its changes use about 2 KB in the database. */
export const DEFAULT_MAX_JOBS = 10_000;

/** The options of a supervisor. */
export interface SupervisorOptions extends Limits {
  /**
   * The directory of jobs and output, which the next supervisor recovers. Absent: jobs are kept in memory, and output in
   * a temporary directory that is removed when the supervisor closes.
   */
  readonly directory?: string;
  /** The environment that jobs start with. Absent: a plain PATH, HOME and LANG. */
  readonly env?: Readonly<Record<string, string>>;
  /** The working directory of jobs that set none; `/` unless given. */
  readonly cwd?: string;
  /** The grace period when the supervisor closes, in milliseconds. Absent: the grace period of each job. */
  readonly closeGraceMs?: number;
  /** The output limit of jobs that set none. Absent: no limit. */
  readonly outputLimit?: OutputLimit;
  /**
   * The disk space for all jobs and their output, in bytes. Absent: no limit. When space is short, ended jobs are
   * removed, the oldest end first.
   */
  readonly maxOutputBytes?: number;
  /**
   * In place of `maxOutputBytes`, a share from 0 to 1. It is a share of the disk space that jobs use now plus the free
   * space on the disk of the directory.
   */
  readonly maxDiskShare?: number;
  /** The number of jobs that are kept, ended jobs included; 10,000 unless given. A new job replaces the oldest end. */
  readonly maxJobs?: number;
  /** How long a job is kept after its end, in milliseconds. Absent: without limit. */
  readonly maxAgeMs?: number;
  /** The cgroups of jobs, for this supervisor alone. Absent: processes of jobs are found in /proc. */
  readonly cgroups?: CgroupTree;
  /**
   * The job hosts that run the jobs. Jobs then continue when the supervisor closes, and the next supervisor continues
   * with them. Needs `directory`, and excludes `cgroups`, which belong to the hosts. Absent: the supervisor runs the jobs.
   */
  readonly hosts?: JobHosts;
  /** The engine that places jobs on other machines. Needs `hosts`. Absent: all jobs run on this machine. */
  readonly placing?: Placing;
  /** True: jobs of hosts are stopped when the supervisor closes. Absent: they continue. */
  readonly stopsJobs?: boolean;
  /** Called with false when a job host does not answer, and with true when all hosts answer again. */
  readonly onAvailability?: (isAvailable: boolean) => void;
  /** Called after each write to the store with its duration in milliseconds. Errors that it throws are ignored. */
  readonly onStoreWrite?: (durationMs: number) => void;
  /**
   * The signals at which the supervisor closes: it stops all jobs and removes its temporary directory, then the program
   * ends by the signal. A second signal kills the jobs. Absent: a program that ends by Ctrl-C leaves its jobs running.
   */
  readonly closeOn?: readonly ClosingSignal[];
  /** Called with a sentence that an administrator should know but need not act on at once. */
  readonly onWarning?: (message: string) => void;
  /** Called with errors that no caller gets, such as a change that could not be written. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Checks the options of a supervisor.
 *
 * @throws {InvalidArgumentError} when a number is out of range
 */
export function checkOptions(options: SupervisorOptions): void {
  if (options.closeGraceMs !== undefined) checkJobOptions({ graceMs: options.closeGraceMs });
  if (options.outputLimit !== undefined) checkOutputLimit(options.outputLimit);
  checkLimits(options);
  if (options.hosts !== undefined && (options.directory === undefined || options.cgroups !== undefined)) {
    throw new InvalidArgumentError("Job hosts need a directory, and have cgroups of their own");
  }
  if (options.placing !== undefined && options.hosts === undefined) {
    throw new InvalidArgumentError("An engine needs job hosts for the jobs of this machine");
  }
  checkNumber("maxJobs", options.maxJobs, 1);
  checkNumber("maxAgeMs", options.maxAgeMs, 0);
  checkNumber("maxOutputBytes", options.maxOutputBytes, 0);
  checkNumber("maxDiskShare", options.maxDiskShare, 0, 1);
}

function checkNumber(name: string, value: number | undefined, min: number, max = Infinity): void {
  if (value === undefined || (value >= min && value <= max)) return;
  const range = max === Infinity ? `at least ${min}` : `from ${min} to ${max}`;
  throw new InvalidArgumentError(`'${name}' must be ${range}, got ${value}`);
}
