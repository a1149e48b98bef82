/** The errors of the worker library: one class a reason, a common base, each with a stable code. */
import { writeAdvice } from "./errno.ts";

/** The stable codes, for programs to tell errors apart by. The last three belong to services built on the library. */
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
  | "INPUT_BUSY"
  | "INPUT_CLOSED"
  | "INPUT_OFFSET"
  | "INPUT_TAKEN_OVER"
  | "LIMIT_REACHED"
  | "HOST_EXHAUSTED"
  | "OUTPUT_UNAVAILABLE"
  | "RECORD_DAMAGED"
  | "SUPERVISOR_CLOSED"
  | "DIRECTORY_IN_USE"
  | "STORE_UNUSABLE"
  | "NOT_RECORDED"
  | "REQUEST_ID_REUSED"
  | "NOT_ENFORCEABLE"
  | "UNAUTHENTICATED"
  | "PERMISSION_DENIED"
  | "UNAVAILABLE";

/**
 * The base of all errors this project throws on purpose. Its message is meant for the person who made the call: it
 * says what is wrong and what to do, and never holds a stack or a path of the host that the caller did not give.
 */
export class TeleportError extends Error {
  /** Which kind of error this is; stable across versions. */
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

/** What was asked for cannot be: an empty command, a NUL byte, a relative directory, a number out of range. */
export class InvalidArgumentError extends TeleportError {
  constructor(message: string) {
    super("INVALID_ARGUMENT", message);
  }
}

/** No signal of Linux has this name or number. */
export class InvalidSignalError extends TeleportError {
  constructor(signal: string) {
    super(
      "INVALID_SIGNAL",
      `Unknown signal ${JSON.stringify(signal)}: give a name such as "SIGTERM", or a number from 1 to 64`,
    );
  }
}

/** The cursor is none that this job's output ever gave out. */
export class InvalidCursorError extends TeleportError {
  constructor(cursor: string) {
    super(
      "INVALID_CURSOR",
      `Invalid cursor ${JSON.stringify(cursor)}: give one that came with this job's output, or none for the first byte`,
    );
  }
}

/** The cursor lies beyond the end of the job's output. */
export class CursorOutOfRangeError extends TeleportError {
  constructor(cursor: string) {
    super(
      "CURSOR_OUT_OF_RANGE",
      `Cursor ${JSON.stringify(cursor)} lies beyond the end of the output: give one that came with this job's output`,
    );
  }
}

/** No job has this id, or the caller may not know of it. */
export class JobNotFoundError extends TeleportError {
  constructor(id: string) {
    super("JOB_NOT_FOUND", `Unknown job ${JSON.stringify(id)}: list the jobs to see their ids`);
  }
}

/** The call needs a running job or process. */
export class JobNotRunningError extends TeleportError {
  /**
   * @param what such as `Job "0193…"`
   * @param state absent where it has ended, and what it left is still being ended
   * @param can such as `be sent a signal`
   */
  constructor(what: string, state: string | undefined, can = "be sent a signal") {
    const why = state === undefined ? "has ended" : `is in state "${state}", not running`;
    super("JOB_NOT_RUNNING", `${what} ${why}: only what runs can ${can}`);
  }
}

/** The call needs a job that does not run. */
export class JobRunningError extends TeleportError {
  constructor(id: string, state: string) {
    super("JOB_RUNNING", `Job "${id}" is in state "${state}": stop it first`);
  }
}

/** The kernel does not let the server signal a process of the job, because it became another user's. */
export class SignalDeniedError extends TeleportError {
  /** Whether other processes of the job got the signal. */
  readonly isPartial: boolean;

  /**
   * @param what such as `send SIGHUP to`
   * @param pids of the processes that were not signalled
   */
  constructor(what: string, pids: readonly number[], isPartial = false) {
    const rest = isPartial ? ". The other processes got it" : "";
    super(
      "SIGNAL_DENIED",
      `Cannot ${what} ${processList(pids)}: the server may not signal processes of another user${rest}`,
    );
    this.isPartial = isPartial;
  }
}

/** Processes of a job could not be ended and may run still. Reported to `onError`; no call throws it. */
export class SurvivorsError extends TeleportError {
  /** @param isDenied whether the server may not signal them; else the kernel has not let go of them yet */
  constructor(id: string, pids: readonly number[], isDenied: boolean) {
    const why = isDenied ? "the server may not signal processes of another user" : "the kernel still holds them";
    super("NOT_ENDED", `Cannot end ${processList(pids)} of job "${id}": ${why}`);
  }
}

/** As many as a sentence can hold. */
const MAX_LISTED = 10;

function processList(pids: readonly number[]): string {
  if (pids.length === 0) return "processes";
  const more = pids.length > MAX_LISTED ? ` and ${pids.length - MAX_LISTED} more` : "";
  return `process${pids.length === 1 ? "" : "es"} ${pids.slice(0, MAX_LISTED).join(", ")}${more}`;
}

/** The job was registered without an input. */
export class NoInputError extends TeleportError {
  constructor(id: string) {
    super("NO_INPUT", `Job "${id}" has no input: register it with one`);
  }
}

/** Somebody else writes to the input. */
export class InputBusyError extends TeleportError {
  constructor() {
    super("INPUT_BUSY", "Another writer has the input of this job: wait until it has left");
  }
}

/** The input takes nothing more. */
export class InputClosedError extends TeleportError {
  constructor(bytes: number) {
    super("INPUT_CLOSED", `The input of this job was closed after "${bytes}" bytes: nothing more can be sent to it`);
  }
}

/** The place in the input is not where this writer can go on. */
export class InputOffsetError extends TeleportError {
  constructor(offset: number, bytes: number) {
    super(
      "INPUT_OFFSET",
      `Cannot write at byte "${offset}" of the input, which has "${bytes}": go on there, or leave the offset out`,
    );
  }
}

/** The same writer has called again, and goes on there. */
export class InputTakenOverError extends TeleportError {
  constructor() {
    super("INPUT_TAKEN_OVER", "The same writer has called again: this call is over, the new one goes on");
  }
}

/** A limit on the number or size of things was reached; the message names it. */
export class LimitReachedError extends TeleportError {
  constructor(message: string) {
    super("LIMIT_REACHED", message);
  }
}

/** The host has no descriptors, processes or memory for a job now. It was not started, and can be started later. */
export class HostExhaustedError extends TeleportError {
  /** @param message what is exhausted, such as `Cannot start command "make": Too many open files: …` */
  constructor(message: string) {
    super("HOST_EXHAUSTED", message);
  }
}

/** The recorded output cannot be read: its file is gone or damaged. */
export class OutputUnavailableError extends TeleportError {
  constructor(id: string, options?: ErrorOptions) {
    super("OUTPUT_UNAVAILABLE", `The output of job "${id}" cannot be read: its record is missing or damaged`, options);
  }
}

/** The database was changed by something else than this library: a failing disk, say. Nothing is served in its place. */
export class RecordDamagedError extends TeleportError {
  constructor(cause?: unknown) {
    super(
      "RECORD_DAMAGED",
      'The database "jobs.db" in the data directory is damaged or cannot be read: restore it from a copy',
      { cause },
    );
  }
}

/** The supervisor is shutting down and takes no new work. */
export class SupervisorClosedError extends TeleportError {
  constructor() {
    super("SUPERVISOR_CLOSED", "The supervisor is shutting down: try again once it is back");
  }
}

/** Another process keeps its jobs in the same directory. */
export class DirectoryInUseError extends TeleportError {
  constructor() {
    super(
      "DIRECTORY_IN_USE",
      "Another server uses the data directory: stop it, or give this one a directory of its own",
    );
  }
}

/** The database in the directory cannot be used. */
export class StoreUnusableError extends TeleportError {
  /** @param why such as `is damaged: put a copy in its place` */
  constructor(why: string, cause?: unknown) {
    super("STORE_UNUSABLE", `The database "jobs.db" in the data directory ${why}`, { cause });
  }
}

/** A request id names one request; this is another one. */
export class RequestIdReusedError extends TeleportError {
  /** @param why such as `was used for another job` */
  constructor(requestId: string, why: string) {
    super("REQUEST_ID_REUSED", `Request id ${JSON.stringify(requestId)} ${why}: give each request an id of its own`);
  }
}

/** What was asked for cannot be written down, and so it was not done. */
export class NotRecordedError extends TeleportError {
  constructor(options?: ErrorOptions) {
    super(
      "NOT_RECORDED",
      `The server cannot write to its data directory: ${
        writeAdvice(options?.cause) ?? "free or mend its disk"
      }, then try again`,
      options,
    );
  }
}

/** What was asked for cannot be enforced on this host, so it is refused and not left out. */
export class NotEnforceableError extends TeleportError {
  /** @param message what is missing, and what to do, such as `Cannot limit memory here: …` */
  constructor(message: string) {
    super("NOT_ENFORCEABLE", message);
  }
}
