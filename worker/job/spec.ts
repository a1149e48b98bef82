/** What a job is and what is known of it, as plain data: it can be cloned, saved and sent. */
import type { StartErrorCode } from "../launch/failure.ts";
import { checkCommand, checkText, type CommandOptions } from "../launch/command.ts";
import { InvalidArgumentError } from "../errors.ts";
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
import { statusOptions } from "../../base/job_options/entries.ts";
import type { JobOnlyOptions, StatusOptions } from "../../base/job_options/table.ts";

/** Enough to describe a job; more is a document. */
const MAX_LABELS = 64;
/** As Kubernetes bounds a label's value (63) with room for a path or an address. */
const MAX_LABEL_CHARS = 256;
/** A UUID, a URL or a sentence. */
const MAX_REQUEST_ID_CHARS = 128;

/** Options of a job. */
export interface JobOptions extends CommandOptions, JobOnlyOptions {
  /** Free words to find the job by. */
  readonly labels?: Readonly<Record<string, string>>;
  /** The user it belongs to. */
  readonly owner?: string;
  /** How much output is recorded, and what happens then; the supervisor's default unless given. */
  readonly outputLimit?: OutputLimit;
  /**
   * Names the request: the same one of the same owner asks for the same job again, and gets it. Also when that was
   * removed it names no other job, until 1,000 others were removed.
   */
  readonly requestId?: string;
}

/** What a job is: everything that does not change. */
export interface JobSpec extends JobOptions {
  readonly id: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly registeredAt: Date;
}

/** What is known of a job now. Environment values are never in it. */
export interface JobStatus extends StatusOptions {
  readonly id: string;
  readonly state: State;
  /** Only in `EXITED`. */
  readonly exitCode?: number;
  /** Only in `KILLED`: the name, such as `SIGTERM`. */
  readonly signal?: string;
  /** Only in a final state. */
  readonly reason?: Reason;
  /** Why it could not be started, was lost, or was ended by the server. */
  readonly error?: string;
  /** Only in `FAILED`. */
  readonly errorCode?: StartErrorCode;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly owner?: string;
  readonly registeredAt: Date;
  readonly startedAt?: Date;
  readonly endedAt?: Date;
  readonly pid?: number;
  /** The user whose call ended it. */
  readonly stoppedBy?: string;
  /** In milliseconds; 0: no limit. */
  readonly timeoutMs: number;
  /** Output recorded so far. */
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
  /** Output that is not on record any more, or never was, because of a limit or the disk. */
  readonly droppedBytes: number;
  readonly outputLimit?: OutputLimit;
  readonly requestedBy?: RequestedBy;
  /** All its processes stand still, for somebody asked for that. */
  readonly paused?: boolean;
  /** The user who did. */
  readonly pausedBy?: string;
  /** What it uses and has used, where that was asked for; only while it runs. */
  readonly usage?: Usage;
  /** What there is to say of its end; of one that ran to its end under the eyes of a server that keeps such records. */
  readonly exitReport?: ExitReport;
  /** Of a job that has an input. In `LOST` the count is unknown, and 0. */
  readonly input?: InputState;
}

/** How much output there is. */
export type OutputCounts = Pick<JobStatus, "stdoutBytes" | "stderrBytes" | "droppedBytes">;

/** Of a job that has written nothing. */
export const NO_OUTPUT: OutputCounts = { stdoutBytes: 0, stderrBytes: 0, droppedBytes: 0 };

/** Puts together what is known of a job. */
export function jobStatus(spec: JobSpec, process: ProcessStatus, output: OutputCounts): JobStatus {
  const { id, command, args, cwd, labels, owner, registeredAt, timeoutMs, outputLimit, input } = spec;
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
    ...defined({ outputLimit }),
    ...(input ? { input: { bytes: 0, closed: isFinalState(process.state) } } : {}),
    ...process,
  };
}

/**
 * Checks what a job would be made of.
 *
 * @throws {InvalidArgumentError} for what Linux cannot run, too many labels, or words that are too long
 */
export function checkJob(command: string, args: readonly string[], options: JobOptions): void {
  checkCommand(command, args, options);
  if (options.outputLimit !== undefined) checkOutputLimit(options.outputLimit);
  if (options.allowNewPrivileges && options.isolation === "STRICT") {
    throw new InvalidArgumentError('A job isolated as "STRICT" gains no privileges: give one of the two options');
  }
  checkLabels(options.labels ?? {});
  const { owner, requestId } = options;
  if (owner !== undefined) checkText("Owner", owner);
  if (requestId !== undefined) checkText("Request id", requestId);
  if (requestId !== undefined && (requestId === "" || requestId.length > MAX_REQUEST_ID_CHARS)) {
    throw new InvalidArgumentError(
      `Invalid request id ${JSON.stringify(requestId.slice(0, 100))}: give 1 to ${MAX_REQUEST_ID_CHARS} characters`,
    );
  }
}

/** @throws {InvalidArgumentError} when there are too many labels, one has no name, or one is too long */
export function checkLabels(labels: Readonly<Record<string, string>>): void {
  const entries = Object.entries(labels);
  if (entries.length > MAX_LABELS) {
    throw new InvalidArgumentError(`Too many labels "${entries.length}": give at most ${MAX_LABELS}`);
  }
  for (const [key, value] of entries) {
    checkText("Label", `${key}=${value}`);
    if (key === "" || key.length > MAX_LABEL_CHARS || value.length > MAX_LABEL_CHARS) {
      throw new InvalidArgumentError(
        `Invalid label ${JSON.stringify(`${key}=${value}`.slice(0, 100))}: give a name, and at most ` +
          `${MAX_LABEL_CHARS} characters for name and value each`,
      );
    }
  }
}
