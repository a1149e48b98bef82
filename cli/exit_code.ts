/** How each end becomes an exit code: of a job, and of a call that failed. */
import { errorCode } from "../base/error_code.ts";
import { signalNumber } from "../base/signals.ts";
import type { JobStatus, Reason } from "../proto/teleport/v1/job_worker.ts";
import { NotUtf8Error } from "../text/decoded.ts";
import { CertificateFilesError } from "./config.ts";
import { BrokenPipeError } from "./print/print.ts";
import { SilenceError } from "./follow/silence.ts";
import { UsageError } from "../units/usage_error.ts";

/** The exit codes that are not a job's own. */
export const EXIT_CODE = {
  OK: 0,
  /** A refused or failed call, or a job that could not be run. */
  FAILED: 1,
  /** What was typed cannot be meant. */
  USAGE: 2,
  /** The job was ended by its time limit, as timeout(1) has it. */
  TIMED_OUT: 124,
  /** The job could not be started although its command was found, as POSIX has it for shells. */
  NOT_EXECUTABLE: 126,
  /** The job's command was not found, as POSIX has it for shells. */
  NOT_FOUND: 127,
  /** The reader of the output left: 128 + SIGPIPE, as a program that the signal ends. */
  BROKEN_PIPE: 141,
  /** The server cannot be reached or does not accept the certificate, as ssh(1) has it. */
  UNREACHABLE: 255,
} as const;

/** Reasons that decide, whatever the job did when it was ended. */
const BY_REASON: Partial<Record<Reason, number>> = { REASON_TIMED_OUT: EXIT_CODE.TIMED_OUT };

/** Why a call failed, by gRPC status; what is not here is FAILED. */
const BY_CALL_STATUS: Record<string, number> = {
  UNAVAILABLE: EXIT_CODE.UNREACHABLE,
  UNAUTHENTICATED: EXIT_CODE.UNREACHABLE,
};

/**
 * The exit code that tells how a job ended: its own, 128 + n for the signal n, 124 when its time was up, 127 when its
 * command was not found, 126 when it could not be started for another reason, and 1 for whatever else is not an end of
 * its own.
 */
export function jobExitCode(status: JobStatus): number {
  const byReason = BY_REASON[status.reason];
  if (byReason !== undefined) return byReason;
  switch (status.state) {
    case "STATE_EXITED":
      return status.exit_code ?? EXIT_CODE.FAILED;
    case "STATE_KILLED": {
      const number = signalNumber(status.signal);
      return number === undefined ? EXIT_CODE.FAILED : 128 + number;
    }
    case "STATE_FAILED":
      return status.error_code === "COMMAND_NOT_FOUND" ? EXIT_CODE.NOT_FOUND : EXIT_CODE.NOT_EXECUTABLE;
    default:
      return EXIT_CODE.FAILED;
  }
}

/** The exit code that tells why a command failed. */
export function errorExitCode(error: unknown): number {
  if (error instanceof UsageError || error instanceof NotUtf8Error) return EXIT_CODE.USAGE;
  if (error instanceof BrokenPipeError) return EXIT_CODE.BROKEN_PIPE;
  if (error instanceof CertificateFilesError || error instanceof SilenceError) return EXIT_CODE.UNREACHABLE;
  if (error instanceof InterruptedError) return error.exitCode;
  // The server was reached, and its disk is full or broken.
  if (errorCode(error) === "NOT_RECORDED") return EXIT_CODE.FAILED;
  const status = callStatus(error);
  return status === undefined ? EXIT_CODE.FAILED : BY_CALL_STATUS[status] ?? EXIT_CODE.FAILED;
}

// Errors of the wire are known by their fields: loading their classes would load all of gRPC, also for --help.

/** Why the server could not be reached; undefined where it was, and for an error that is no call's. */
export function unreachableReason(error: unknown): unknown {
  return error instanceof Error && "unreachable" in error ? error.unreachable : undefined;
}

/** The gRPC status of a call that failed, undefined for an error that is none. */
export function callStatus(error: unknown): string | undefined {
  return error instanceof Error && "status" in error && typeof error.status === "string" ? error.status : undefined;
}

/** The person at the keyboard wanted out. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
  /** 128 + the signal's number, as a shell has it. */
  readonly exitCode: number;

  constructor(signal: string, message: string) {
    super(message);
    this.exitCode = 128 + (signalNumber(signal) ?? 0);
  }
}
