/** The properties and the status of a job as plain data, which can be cloned, stored and sent. */
import { quote } from "../../base/quote.ts";
import type { StartErrorCode } from "../launch/failure.ts";
import { checkCommand, checkText, type CommandOptions } from "../launch/command.ts";
import { InvalidArgumentError, InvalidNameError } from "../errors.ts";
import { checkOutputLimit, type OutputLimit } from "../output/limit.ts";
import type { InputState } from "../process/stdin.ts";
import {
  type ExitReport,
  isFinalState,
  type ProcessStatus,
  type Reason,
  type RequestedBy,
  type State,
} from "../process/state.ts";
import type { Usage } from "../process/usage.ts";
import { defined } from "../../base/defined.ts";
import { NAME_MUST, NAME_PATTERN } from "../../base/job_options/name.ts";
import { statusOptions } from "../../base/job_options/entries.ts";
import type { JobOnlyOptions, StatusOptions } from "../../base/job_options/table.ts";

/** Enough labels to describe a job. */
const MAX_LABELS = 64;
/** Kubernetes allows 63 characters in a label's value. This has room for a path or an address. */
const MAX_LABEL_CHARS = 256;
/** Enough for a UUID, a URL or a sentence. */
const MAX_REQUEST_ID_CHARS = 128;

/** Options of a job. */
export interface JobOptions extends CommandOptions, JobOnlyOptions {
  /** Names and values by which users find the job. */
  readonly labels?: Readonly<Record<string, string>>;
  /** The user who owns the job. */
  readonly owner?: string;
  /** The limit on stored output, and what happens at the limit. Default: the supervisor's. */
  readonly outputLimit?: OutputLimit;
  /**
   * The id of the request. A second request with the same id and owner returns the same job. After the job is removed,
   * the id still refers to no other job until 1,000 more are removed.
   */
  readonly requestId?: string;
  /** The id of the job that this one repeats. */
  readonly rerunOf?: string;
  /** The template that the command was made from. */
  readonly template?: TemplateUse;
}

/** A command by the name of a template, as the service that expands templates keeps it with a job. */
export interface TemplateUse {
  readonly name: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** The properties of a job that do not change. */
export interface JobSpec extends JobOptions {
  readonly id: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly registeredAt: Date;
}

/** The place of a job in an engine. */
export interface PlacementStatus {
  /** The name of the engine. */
  readonly engine: string;
  /** The engine's own number. Absent until it has given one. */
  readonly handle?: string;
  /** The machine. Absent until its host was accepted. */
  readonly node?: string;
  /** The reason why the job waits. Absent once its host was accepted. */
  readonly waitsFor?: string;
  /** The time since which the host of a running job cannot be reached. Absent while it can. */
  readonly unreachableSince?: Date;
}

/** The status of a job now. It has no values of environment variables. */
export interface JobStatus extends StatusOptions {
  readonly id: string;
  readonly state: State;
  /** Present only in `EXITED`. */
  readonly exitCode?: number;
  /** The name, such as `SIGTERM`. Present only in `KILLED`. */
  readonly signal?: string;
  /** Present only in a final state. */
  readonly reason?: Reason;
  /** Why it could not be started, was lost, or was ended by the server. Absent otherwise. */
  readonly error?: string;
  /** Present only in `FAILED`. */
  readonly errorCode?: StartErrorCode;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly owner?: string;
  readonly registeredAt: Date;
  readonly startedAt?: Date;
  readonly endedAt?: Date;
  /** The pid of the leader. Absent before it runs. */
  readonly pid?: number;
  /** The user whose call ended it. Absent if no call did. */
  readonly stoppedBy?: string;
  /** The time limit in milliseconds; 0 means no limit. */
  readonly timeoutMs: number;
  /** The number of bytes of standard output so far. */
  readonly stdoutBytes: number;
  /** The number of bytes of standard error so far. */
  readonly stderrBytes: number;
  /** The number of bytes that were deleted or never stored, because of a limit or the disk. */
  readonly droppedBytes: number;
  readonly outputLimit?: OutputLimit;
  readonly requestedBy?: RequestedBy;
  /** True while it is paused. Absent otherwise. */
  readonly paused?: boolean;
  /** The user who paused it. */
  readonly pausedBy?: string;
  /** The usage. Present only while it runs, and if the call asks for it. */
  readonly usage?: Usage;
  /** The report of its end. Absent for jobs whose end was not seen, and for jobs stored by older versions. */
  readonly exitReport?: ExitReport;
  /** The id of the job that this one repeats. */
  readonly rerunOf?: string;
  /** The state of the input. Absent if the job has none. In `LOST` the count is unknown and 0. */
  readonly input?: InputState;
  /** True if it runs on a terminal. Absent otherwise. */
  readonly terminal?: boolean;
  /** Present if an engine places it. */
  readonly placement?: PlacementStatus;
}

/** The amount of output. */
export type OutputCounts = Pick<JobStatus, "stdoutBytes" | "stderrBytes" | "droppedBytes">;

/** The amount of output of a job that has written nothing. */
export const NO_OUTPUT: OutputCounts = { stdoutBytes: 0, stderrBytes: 0, droppedBytes: 0 };

/** Returns true if a job has an input. A terminal has one. */
export function hasInput({ input, terminal }: JobSpec): boolean {
  return input === true || terminal !== undefined;
}

/**
 * Returns the status of a job.
 *
 * @param placement where an engine has placed it; absent for a job of this machine
 */
export function jobStatus(
  spec: JobSpec,
  process: ProcessStatus,
  output: OutputCounts,
  placement?: PlacementStatus,
): JobStatus {
  const { id, command, args, cwd, labels, owner, registeredAt, timeoutMs, outputLimit } = spec;
  const { stdoutBytes, stderrBytes, droppedBytes } = output;
  return {
    id,
    command,
    args,
    ...defined({ cwd }),
    labels: labels ?? {},
    ...defined({ owner }),
    registeredAt,
    ...statusOptions(spec),
    timeoutMs: timeoutMs ?? 0,
    stdoutBytes,
    stderrBytes,
    droppedBytes,
    ...defined({ outputLimit, rerunOf: spec.rerunOf }),
    ...(hasInput(spec) ? { input: { bytes: 0, closed: isFinalState(process.state) } } : {}),
    ...(spec.terminal === undefined ? {} : { terminal: true }),
    ...process,
    ...defined({ placement }),
  };
}

/**
 * Checks the properties of a new job.
 *
 * @throws {InvalidNameError} when the name has a form that names do not have
 * @throws {InvalidArgumentError} when Linux cannot run the command, or a property is invalid
 */
export function checkJob(command: string, args: readonly string[], options: JobOptions): void {
  const { name } = options;
  if (name !== undefined && !NAME_PATTERN.test(name)) throw new InvalidNameError(name, `give ${NAME_MUST}`);
  checkCommand(command, args, options);
  if (options.outputLimit !== undefined) checkOutputLimit(options.outputLimit);
  if (options.allowNewPrivileges && options.isolation === "STRICT") {
    throw new InvalidArgumentError('A job isolated as "STRICT" cannot gain privileges: give one of the two options');
  }
  checkLabels(options.labels ?? {});
  const { owner, requestId } = options;
  if (owner !== undefined) checkText("Owner", owner);
  if (requestId !== undefined) checkText("Request id", requestId);
  if (requestId !== undefined && (requestId === "" || requestId.length > MAX_REQUEST_ID_CHARS)) {
    throw new InvalidArgumentError(
      `'requestId' must have 1 to ${MAX_REQUEST_ID_CHARS} characters, got ${quote(requestId)}`,
    );
  }
}

/**
 * Checks labels.
 *
 * @throws {InvalidArgumentError} when there are too many, one has no name, or one is too long
 */
export function checkLabels(labels: Readonly<Record<string, string>>): void {
  const entries = Object.entries(labels);
  if (entries.length > MAX_LABELS) {
    throw new InvalidArgumentError(`A job must have at most ${MAX_LABELS} labels, got ${entries.length}`);
  }
  for (const [key, value] of entries) {
    checkText("Label", `${key}=${value}`);
    if (key === "" || key.length > MAX_LABEL_CHARS || value.length > MAX_LABEL_CHARS) {
      throw new InvalidArgumentError(
        `A label must have a name, and at most ${MAX_LABEL_CHARS} characters in its name and in its value, got ` +
          quote(`${key}=${value}`),
      );
    }
  }
}
