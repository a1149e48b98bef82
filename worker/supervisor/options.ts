/** What a supervisor is made with. */
import type { CgroupTree } from "../cgroup/tree.ts";
import { checkJobOptions } from "../launch/command.ts";
import type { ClosingSignal } from "./closing_signals.ts";
import { InvalidArgumentError } from "../errors.ts";
import { checkOutputLimit, type OutputLimit } from "../output/limit.ts";
import { checkLimits, type Limits } from "./admission.ts";

/** A job and its changes take about 2 KB in the database, and a directory for its output: this is no burden for a disk. */
export const DEFAULT_MAX_JOBS = 10_000;

/** Options of a supervisor. */
export interface SupervisorOptions extends Limits {
  /**
   * Where jobs and their output are kept, for the next supervisor to take up. Absent: jobs are kept in memory, and output
   * in a temporary directory that is removed when the supervisor closes.
   */
  readonly directory?: string;
  /** The environment jobs begin with, instead of a plain PATH, HOME and LANG. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where jobs run that name no directory; `/` unless given. */
  readonly cwd?: string;
  /** Between SIGTERM and SIGKILL when the supervisor closes, in milliseconds; each job's own unless given. */
  readonly closeGraceMs?: number;
  /** How much output of a job is recorded that does not say; no limit unless given. */
  readonly outputLimit?: OutputLimit;
  /**
   * How much the output of all jobs, and what was asked for, may take on the disk, in bytes; no limit unless given. When
   * it is short, jobs that have ended are forgotten, the oldest end first.
   */
  readonly maxOutputBytes?: number;
  /**
   * Instead of `maxOutputBytes`, a share from 0 to 1 of what jobs take now and what else is free on the directory's disk.
   */
  readonly maxDiskShare?: number;
  /**
   * How many jobs are kept, ended ones included; 10,000 unless given. For a new one, the job that ended first is
   * forgotten.
   */
  readonly maxJobs?: number;
  /** How long a job is kept once it has ended, in milliseconds; for ever unless given. */
  readonly maxAgeMs?: number;
  /** Where each job gets a cgroup, which its supervisor has for itself; without, jobs are known by what /proc shows. */
  readonly cgroups?: CgroupTree;
  /** Called after each write to the store with its duration in milliseconds. */
  readonly onStoreWrite?: (durationMs: number) => void;
  /**
   * Signals at which the supervisor closes: jobs are stopped, a temporary directory is removed, and then the program ends
   * by the signal. A second one kills the jobs. None unless given: a program ended by Ctrl-C leaves its jobs running.
   */
  readonly closeOn?: readonly ClosingSignal[];
  /** Told, in a sentence, of what an administrator should know and need not act on at once. */
  readonly onWarning?: (sentence: string) => void;
  /** Told of errors that no caller is told of, such as a change that could not be written down. */
  readonly onError?: (error: unknown) => void;
}

/** @throws {InvalidArgumentError} when a number is out of range */
export function checkOptions(options: SupervisorOptions): void {
  if (options.closeGraceMs !== undefined) checkJobOptions({ graceMs: options.closeGraceMs });
  if (options.outputLimit !== undefined) checkOutputLimit(options.outputLimit);
  checkLimits(options);
  checkNumber("number of jobs", options.maxJobs, 1);
  checkNumber("age of jobs in milliseconds", options.maxAgeMs, 0);
  checkNumber("number of bytes for all output", options.maxOutputBytes, 0);
  checkNumber("share of the disk", options.maxDiskShare, 0, 1);
}

function checkNumber(what: string, value: number | undefined, min: number, max = Infinity): void {
  if (value === undefined || (value >= min && value <= max)) return;
  const range = max === Infinity ? `at least ${min}` : `from ${min} to ${max}`;
  throw new InvalidArgumentError(`Invalid ${what} "${value}": give ${range}, or none`);
}
