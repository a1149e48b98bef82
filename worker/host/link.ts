/**
 * The link between a supervisor and a job host: its calls, its events and their plain data.
 *
 * A job host runs processes and writes their output. It survives its supervisor. Two classes have this interface:
 * `JobHost` in the same process, and `RemoteJobHost` at the other end of a socket. One suite of tests runs against both.
 */
import type { CgroupLimits } from "../../base/job_options/cgroup_limits.ts";
import type { Isolation } from "../../base/job_options/table.ts";
import type { Controller } from "../cgroup/limits.ts";
import type { JobOptions, JobSpec } from "../job/spec.ts";
import type { StatusDetails, StoredProcess } from "../job/status_details.ts";
import type { LogPosition } from "../output/cursor.ts";
import type { OutputTotals } from "../output/totals.ts";
import type { StopOptions } from "../process/options.ts";
import type { ProcessStatus, RequestedBy } from "../process/state.ts";
import type { InputChunk, InputOptions, InputResult, InputState } from "../process/stdin.ts";
import type { TerminalSize } from "../terminal/size.ts";
import type { Usage } from "../process/usage.ts";

/** The cgroups of a job host, for admission and for people. */
export interface HostCgroups {
  readonly directory: string;
  readonly controllers: readonly Controller[];
  /** The other controllers, each with the reason why jobs cannot use it. */
  readonly lacking: Readonly<Partial<Record<Controller, string>>>;
}

/** The properties of a job host that do not change. */
export interface HostInfo {
  /** Identifies one run of one job host. Stored with each start, so that a later supervisor knows whom to ask. */
  readonly instance: string;
  readonly pid: number;
  readonly startedAt: Date;
  /** The version of the program. */
  readonly version: string;
  /** Absent when its jobs have no cgroups. */
  readonly cgroups?: HostCgroups;
  /** Says whether jobs have cgroups, and why not. */
  readonly cgroupText: string;
}

/** The abilities that a job needs of its host. */
export interface HostCheck {
  /** The options of the job, with the limits of the supervisor applied. */
  readonly options: JobOptions;
  readonly cwd: string;
  readonly noNewPrivileges: boolean;
  readonly cgroupLimits?: CgroupLimits;
}

/** One start. */
export interface HostStart {
  readonly spec: JobSpec;
  readonly noNewPrivileges: boolean;
  /** The environment that the job's own variables are added to. */
  readonly baseEnv: Readonly<Record<string, string>>;
  /** The user who requests the start. */
  readonly by?: string;
}

/** One change of a job, numbered from 1 for each job. The last one is final. */
export interface JobChange {
  readonly id: string;
  readonly number: number;
  readonly status: ProcessStatus;
  readonly details: StatusDetails;
}

/** The part of a log that can be read now. */
export interface LogState {
  readonly start: LogPosition;
  readonly end: LogPosition;
  /** The totals up to `end`. */
  readonly totals: OutputTotals;
}

/** The facts of a job that change without a change of its state. */
export interface LiveState {
  readonly log: LogState;
  readonly requestedBy?: RequestedBy;
  /** Present while the job is paused. */
  readonly paused?: { readonly by?: string };
  /** Absent when the job has no input. */
  readonly input?: InputState;
}

/** A job that a host knows: one that runs, or one whose end the supervisor has not confirmed with `forget`. */
export interface HostedJobState {
  readonly id: string;
  /** All changes so far, in order. */
  readonly changes: readonly JobChange[];
  /** Absent after the end. */
  readonly live?: LiveState;
}

/** A job whose job host has died. */
export interface OrphanedJob {
  readonly spec: JobSpec;
  readonly status: ProcessStatus;
  readonly process?: StoredProcess;
}

/** The end of an orphaned job. */
export interface RecoveredJob {
  /** The end that its host has written, or LOST. INITIAL when its host ended in order and the job never started. */
  readonly status: ProcessStatus;
  readonly details: StatusDetails;
  /** Processes that could not be ended. */
  readonly survivors: readonly number[];
  /** True when a survivor could not be ended because it runs as another user. */
  readonly isDenied: boolean;
}

/** The work of a job host at this moment, for people. */
export interface HostWork {
  readonly runningJobs: number;
  /** True while a supervisor receives its events. */
  readonly isAttached: boolean;
  /** True when the host takes no new jobs and ends with its last one. */
  readonly isRetired: boolean;
}

/** A place in the files of a log. */
export interface LogPlace {
  /** The position in the log at which the file starts, which is its name. */
  readonly file: number;
  /** The bytes of the file before the place, its header included. */
  readonly offset: number;
}

/** A piece of a file of a log, which a host on another machine sends. Its bytes follow. */
export interface LogPiece extends LogPlace {
  readonly id: string;
  /** The part of the log that can be read with this piece. Absent in the middle of a frame. */
  readonly range?: Pick<LogState, "start" | "end">;
  /** True when the host cannot read its log any more. No further piece comes. */
  readonly isLast?: true;
}

/** Receives what a job host reports. */
export interface HostEvents {
  /** A job has changed. A final change is in a file of the host before it is reported. */
  changed(change: JobChange): void;
  /** The log of a watched job has grown, or has lost its beginning. */
  grew(id: string, range: Pick<LogState, "start" | "end">): void;
  /**
   * A host on another machine sends a piece of a log, because `sendOutput` was called. The next piece waits for the promise.
   * A receiver on the same machine reads the files.
   */
  output?(piece: LogPiece, data: Uint8Array): Promise<void> | void;
  /** The host needs room for output. The supervisor may remove ended jobs, and answers with `setRoom`. */
  needsRoom(bytes: number): void;
  /** False: the host does not answer calls, which now fail with `HostUnavailableError`. True: it answers again. */
  availability(isAvailable: boolean): void;
  /** The host reports an error that no caller gets. */
  failed(error: Error): void;
}

/** The calls of a supervisor to a job host. Errors are those of the library, with the same codes. */
export interface HostLink {
  readonly info: HostInfo;
  /** Resolves with the reason when the host can no longer be reached, and with undefined after `close()`. */
  readonly closed: Promise<Error | undefined>;

  /** Returns what the host does now. Needs no `attach`, and changes nothing. */
  work(): Promise<HostWork>;
  /**
   * Receives all events from now on, in place of an earlier supervisor. Returns all jobs of the host. The events report
   * each change that is not in the result, after the caller had the chance to read the result. Call it once for each link.
   */
  attach(events: HostEvents): Promise<readonly HostedJobState[]>;

  /** @throws {NotEnforceableError} when the host cannot run such a job */
  check(check: HostCheck): Promise<void>;
  /** Returns for each level of isolation why the host cannot provide it; an empty text when it can. */
  isolations(): Promise<Readonly<Record<Isolation, string>>>;

  /**
   * Starts a job. A second start of the same id starts nothing. Resolves when the start is known to the host; the outcome
   * arrives as changes, a failed start too.
   *
   * @throws {HostExhaustedError} when the host lacks resources now: the job can be started later
   * @throws {NotEnforceableError} when the host can no longer enforce an option
   * @throws {SupervisorClosedError} while `stopJobs` stops the jobs
   */
  start(start: HostStart): Promise<void>;
  /** Stops a job. Resolves when it has ended. Has no effect on a job that is not running. */
  stop(id: string, options: StopOptions): Promise<void>;
  /** Sends a signal, a name or a number. */
  signal(id: string, signal: string, by?: string): Promise<void>;
  pause(id: string, by?: string): Promise<void>;
  resume(id: string): Promise<void>;
  /** Changes the size of a job's terminal. */
  resize(id: string, size: TerminalSize): Promise<void>;
  /** Writes to the input of a job, as `Job.writeInput` does. */
  writeInput(id: string, chunks: AsyncIterable<InputChunk>, options: InputOptions): Promise<InputResult>;
  /** Returns what a running job uses now. Undefined when it is not running. */
  usage(id: string): Promise<Usage | undefined>;
  /** Returns the live states of running jobs. A job that is not running is absent. */
  states(ids: readonly string[]): Promise<Readonly<Record<string, LiveState>>>;

  /** Returns the state of the log of a running job, and reports each growth from then on. Undefined: not running. */
  watch(id: string): Promise<LogState | undefined>;
  /** Ends the reports of `watch`. */
  unwatch(id: string): void;

  /**
   * Sends the files of a log from a place, and then all growth, as `output` events. Replaces an earlier call. Only a host on
   * another machine does that.
   *
   * @param from the end of what has arrived; undefined for the beginning
   */
  sendOutput?(id: string, from: LogPlace | undefined): void;

  /** Confirms that a log is stored up to a place. The host has only a few pieces on their way. */
  storedOutput?(id: string, place: LogPlace): void;

  /** Confirms that the end of a job is stored. The host forgets the job. */
  forget(id: string): void;
  /**
   * Sets the disk space that the output of all jobs that are not forgotten may have in all, in bytes. Undefined: no limit.
   * This answers `needsRoom`: a supervisor that can make no room sets the same space again.
   */
  setRoom(bytes: number | undefined): void;

  /** Ends the survivors of a job whose host has died, repairs its output, and says how it ended. */
  recover(job: OrphanedJob): Promise<RecoveredJob>;
  /** Deletes what a dead host has left, once all its jobs are recovered and stored. */
  discard(instance: string): Promise<void>;
  /** Deletes the output of a job that does not run. */
  deleteOutput(id: string): Promise<void>;

  /** Stops all jobs with reason `SHUTDOWN`. Resolves when they have ended. A second call may shorten the grace period. */
  stopJobs(graceMs: number | undefined): Promise<void>;
  /** True: the host ends as soon as it has no job. False: it stays. */
  retire(isRetired: boolean): void;
  /**
   * Starts another host, from the program file that this host was started from, which may be a newer version by now.
   *
   * The new host is a child of the first process of the machine. A main process that is not a child of systemd 252 is
   * killed at once when its unit stops, without a grace period.
   *
   * @returns the instance of the new host, which accepts links then
   */
  succeed(): Promise<string>;
  /** Ends the link. The host and its jobs continue. */
  close(): Promise<void>;
}
