/** The exit codes for the ends of jobs and for failed calls. */
import { errorCode } from "../base/error_code.ts";
import { signalNumber } from "../base/signals.ts";
import type { JobStatus, Reason } from "../proto/teleport/v1/job_worker.ts";
import { NotUtf8Error } from "../text/decoded.ts";
import { UsageError } from "../units/usage_error.ts";
import { CertificateFilesError } from "./certificate_files.ts";
import { SettingsError } from "./contexts/settings_error.ts";
import { SilenceError } from "./follow/silence.ts";
import { BrokenPipeError } from "./print/print.ts";

/** The exit codes that are not a job's own. */
export const EXIT_CODE = {
  OK: 0,
  /** The call was refused or failed, or the job is LOST. */
  FAILED: 1,
  /** The command line, the environment or a file that sets up the client is not valid. */
  USAGE: 2,
  /** The job was ended by its timeout. The same code as that of timeout(1). */
  TIMED_OUT: 124,
  /** The job could not be started, but its command was found. The same code as that of a POSIX shell. */
  NOT_EXECUTABLE: 126,
  /** The job's command was not found. The same code as that of a POSIX shell. */
  NOT_FOUND: 127,
  /** The reader of the output closed it: 128 + SIGPIPE, as for a program that the signal ends. */
  BROKEN_PIPE: 141,
  /** The server cannot be reached, or refused the certificate. The same code as that of ssh(1). */
  UNREACHABLE: 255,
} as const;

/** The reasons that win over the state of the job. */
const BY_REASON: Partial<Record<Reason, number>> = { REASON_TIMED_OUT: EXIT_CODE.TIMED_OUT };

/** The exit codes for gRPC statuses. Every other status is FAILED. */
const BY_CALL_STATUS: Record<string, number> = {
  UNAVAILABLE: EXIT_CODE.UNREACHABLE,
  UNAUTHENTICATED: EXIT_CODE.UNREACHABLE,
};

/**
 * Returns the exit code for the end of a job.
 *
 * - its own exit code, or 128 + n when signal n ended it
 * - 124 when it timed out
 * - 127 when its command was not found, 126 when it could not be started for another reason
 * - 1 when it is LOST or has not ended
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

/** Returns the exit code for the error of a command. */
export function errorExitCode(error: unknown): number {
  if (error instanceof UsageError || error instanceof NotUtf8Error || error instanceof SettingsError) {
    return EXIT_CODE.USAGE;
  }
  if (error instanceof BrokenPipeError) return EXIT_CODE.BROKEN_PIPE;
  if (error instanceof CertificateFilesError || error instanceof SilenceError) return EXIT_CODE.UNREACHABLE;
  if (error instanceof InterruptedError) return error.exitCode;
  // This error has the status UNAVAILABLE, but the server was reached: its disk is full or broken.
  if (errorCode(error) === "NOT_RECORDED") return EXIT_CODE.FAILED;
  const status = callStatus(error);
  return status === undefined ? EXIT_CODE.FAILED : BY_CALL_STATUS[status] ?? EXIT_CODE.FAILED;
}

// Errors of calls are recognised by their fields. Importing their classes would load all of gRPC, even for --help.

/** Returns why the server could not be reached. Undefined when it was reached, or the error is not that of a call. */
export function unreachableReason(error: unknown): unknown {
  return error instanceof Error && "unreachable" in error ? error.unreachable : undefined;
}

/** Returns the gRPC status of a failed call. Undefined when the error is not that of a call. */
export function callStatus(error: unknown): string | undefined {
  return error instanceof Error && "status" in error && typeof error.status === "string" ? error.status : undefined;
}

/** The user interrupted the command by a signal. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
  /** 128 + the signal's number, the same code as that of a shell. */
  readonly exitCode: number;

  constructor(signal: string, message: string) {
    super(message);
    this.exitCode = 128 + (signalNumber(signal) ?? 0);
  }
}
