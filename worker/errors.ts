/** The errors of the worker library: their base class, their codes, and those about calls, jobs and limits. */
import { quote } from "../base/quote.ts";

/** The stable codes that programs tell errors apart by. The last three are for services built on the library. */
export type ErrorCode =
  | "INVALID_ARGUMENT"
  | "INVALID_SIGNAL"
  | "INVALID_CURSOR"
  | "CURSOR_OUT_OF_RANGE"
  | "JOB_NOT_FOUND"
  | "JOB_NOT_RUNNING"
  | "JOB_RUNNING"
  | "SIGNAL_DENIED"
  | "NOT_ENDED"
  | "NO_INPUT"
  | "NO_TERMINAL"
  | "INPUT_BUSY"
  | "INPUT_CLOSED"
  | "INPUT_OFFSET"
  | "INPUT_TAKEN_OVER"
  | "LIMIT_REACHED"
  | "HOST_EXHAUSTED"
  | "HOST_UNAVAILABLE"
  | "OUTPUT_UNAVAILABLE"
  | "RECORD_DAMAGED"
  | "SUPERVISOR_CLOSED"
  | "DIRECTORY_IN_USE"
  | "STORE_UNUSABLE"
  | "NOT_RECORDED"
  | "REQUEST_ID_REUSED"
  | "INVALID_NAME"
  | "NAME_TAKEN"
  | "NOT_ENFORCEABLE"
  | "UNAUTHENTICATED"
  | "PERMISSION_DENIED"
  | "UNAVAILABLE";

/**
 * The base class of all errors that this project throws on purpose.
 *
 * The message is for the person who made the call: it says what is wrong and what to do. It never contains a stack
 * trace, nor a path of the host that the caller did not give.
 *
 * @example
 * ```ts
 * import { Supervisor, TeleportError } from "@teleport/worker";
 *
 * await using supervisor = new Supervisor();
 * try {
 *   await supervisor.status("no-such-job");
 * } catch (error) {
 *   console.assert(error instanceof TeleportError && error.code === "JOB_NOT_FOUND");
 * }
 * ```
 */
export class TeleportError extends Error {
  /** The kind of the error. Stable across versions. */
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

/** An argument is invalid: an empty command, a NUL byte, a relative directory, a number out of range. */
export class InvalidArgumentError extends TeleportError {
  constructor(message: string) {
    super("INVALID_ARGUMENT", message);
  }
}

/** Linux has no signal with this name or number. */
export class InvalidSignalError extends TeleportError {
  constructor(signal: string) {
    super(
      "INVALID_SIGNAL",
      `Unknown signal ${JSON.stringify(signal)}: give a name such as "SIGTERM", or a number from 1 to 64`,
    );
  }
}

/** This job's output never gave out the cursor. */
export class InvalidCursorError extends TeleportError {
  constructor(cursor: string) {
    super(
      "INVALID_CURSOR",
      `Invalid cursor ${JSON.stringify(cursor)}: give one that came with this job's output, or none for the first byte`,
    );
  }
}

/** The cursor is beyond the end of the job's output. */
export class CursorOutOfRangeError extends TeleportError {
  constructor(cursor: string) {
    super(
      "CURSOR_OUT_OF_RANGE",
      `Cursor ${JSON.stringify(cursor)} is beyond the end of the output: give one that came with this job's output`,
    );
  }
}

/** No job has this id, or the caller may not see the job. */
export class JobNotFoundError extends TeleportError {
  constructor(id: string) {
    super("JOB_NOT_FOUND", `Unknown job ${JSON.stringify(id)}: list the jobs to see their ids`);
  }
}

/** The call needs a running job or process. */
export class JobNotRunningError extends TeleportError {
  /**
   * @param what the job or process, such as `Job "0193…"`
   * @param state its state; absent when the leader has ended and the survivors are being ended
   * @param can what only a running job can do, such as `be sent a signal`
   */
  constructor(what: string, state: string | undefined, can = "be sent a signal") {
    const why = state === undefined ? "has ended" : `is in state "${state}", not running`;
    super("JOB_NOT_RUNNING", `${what} ${why}: only a running job can ${can}`);
  }
}

/** The call needs a job that is not running. */
export class JobRunningError extends TeleportError {
  constructor(id: string, state: string) {
    super("JOB_RUNNING", `Job "${id}" is in state "${state}": stop it first`);
  }
}

/** The kernel does not let the server signal a process of the job, because the process became another user's. */
export class SignalDeniedError extends TeleportError {
  /** True when other processes of the job received the signal. */
  readonly isPartial: boolean;

  /**
   * @param what the action, such as `send SIGHUP to`
   * @param pids pids of the processes that did not receive the signal
   */
  constructor(what: string, pids: readonly number[], isPartial = false) {
    const rest = isPartial ? ". The other processes received it" : "";
    super(
      "SIGNAL_DENIED",
      `Cannot ${what} ${processList(pids)}: the server may not signal processes of another user${rest}`,
    );
    this.isPartial = isPartial;
  }
}

/** Processes of a job could not be ended and may still run. Reported to `onError`; no call throws it. */
export class SurvivorsError extends TeleportError {
  /** @param isDenied true when the server may not signal them; false when the kernel still holds them */
  constructor(id: string, pids: readonly number[], isDenied: boolean) {
    const why = isDenied ? "the server may not signal processes of another user" : "the kernel still holds them";
    super("NOT_ENDED", `Cannot end ${processList(pids)} of job "${id}": ${why}`);
  }
}

/** The most pids in one message. */
const MAX_LISTED = 10;

function processList(pids: readonly number[]): string {
  if (pids.length === 0) return "processes";
  const more = pids.length > MAX_LISTED ? ` and ${pids.length - MAX_LISTED} more` : "";
  return `process${pids.length === 1 ? "" : "es"} ${pids.slice(0, MAX_LISTED).join(", ")}${more}`;
}

/** A limit on the number or size of things was reached. The message names the limit. */
export class LimitReachedError extends TeleportError {
  constructor(message: string) {
    super("LIMIT_REACHED", message);
  }
}

/** The host has no descriptors, processes or memory for the job now. The job did not start and can be started later. */
export class HostExhaustedError extends TeleportError {
  /** @param message names what is exhausted, such as `Cannot start command "make": Too many open files: …` */
  constructor(message: string) {
    super("HOST_EXHAUSTED", message);
  }
}

/** The job host that runs a job cannot be reached, or does not answer. The job itself may run. */
export class HostUnavailableError extends TeleportError {
  /** @param why such as `process 42 does not answer` */
  constructor(why: string, options?: ErrorOptions) {
    super("HOST_UNAVAILABLE", `Cannot reach the job host: ${why}; try again later`, options);
  }
}

/** The supervisor is shutting down and accepts no new work. */
export class SupervisorClosedError extends TeleportError {
  constructor() {
    super("SUPERVISOR_CLOSED", "The server is shutting down: try again when it is back");
  }
}

/** The owner has used the request id for another job. */
export class RequestIdReusedError extends TeleportError {
  /** @param why the earlier use, such as `was used for another job` */
  constructor(requestId: string, why: string) {
    super("REQUEST_ID_REUSED", `Request id ${JSON.stringify(requestId)} ${why}: use a new id for each request`);
  }
}

/** The name of a new job has a form that names do not have. */
export class InvalidNameError extends TeleportError {
  /** @param reason what is wrong and what to do, without the name */
  constructor(name: string, reason: string) {
    super("INVALID_NAME", `Invalid job name ${quote(name)}: ${reason}`);
  }
}

/** Another job of the owner has the name and has not ended. */
export class NameTakenError extends TeleportError {
  /** @param id the job that has the name */
  constructor(name: string, id: string) {
    super(
      "NAME_TAKEN",
      `Job "${id}" has the name "${name}" and has not ended: give another name, or end that job first`,
    );
  }
}

/** The host or the supervisor cannot enforce an option of the job, so the job is refused. */
export class NotEnforceableError extends TeleportError {
  /** @param message what is missing and what to do, such as `Cannot limit memory here: …` */
  constructor(message: string) {
    super("NOT_ENFORCEABLE", message);
  }
}
