/** Errors as the wire knows them: the canonical statuses, which code of ours becomes which, and a failed call. */
import { type ServiceError, status } from "@grpc/grpc-js";
import type { ErrorCode } from "../../mod.ts";
import type { UnreachableReason } from "./unavailable.ts";

/** The name of a canonical status: https://grpc.io/docs/guides/status-codes/ */
export type StatusName = keyof typeof status;

/** Trailing metadata that carries the library's own code, which is finer than the canonical one. */
export const ERROR_CODE_KEY = "teleport-error-code";

/** Which canonical status each code of the library is sent as. */
export const STATUS_OF: Readonly<Record<ErrorCode, StatusName>> = {
  INVALID_ARGUMENT: "INVALID_ARGUMENT",
  INVALID_SIGNAL: "INVALID_ARGUMENT",
  INVALID_CURSOR: "INVALID_ARGUMENT",
  CURSOR_OUT_OF_RANGE: "OUT_OF_RANGE",
  JOB_NOT_FOUND: "NOT_FOUND",
  JOB_NOT_RUNNING: "FAILED_PRECONDITION",
  JOB_RUNNING: "FAILED_PRECONDITION",
  SIGNAL_DENIED: "FAILED_PRECONDITION",
  NOT_ENDED: "FAILED_PRECONDITION",
  NO_INPUT: "FAILED_PRECONDITION",
  INPUT_BUSY: "FAILED_PRECONDITION",
  INPUT_CLOSED: "FAILED_PRECONDITION",
  INPUT_OFFSET: "OUT_OF_RANGE",
  // The wire's word for a call that lost its place to a later one.
  INPUT_TAKEN_OVER: "ABORTED",
  LIMIT_REACHED: "RESOURCE_EXHAUSTED",
  HOST_EXHAUSTED: "RESOURCE_EXHAUSTED",
  OUTPUT_UNAVAILABLE: "DATA_LOSS",
  RECORD_DAMAGED: "DATA_LOSS",
  SUPERVISOR_CLOSED: "UNAVAILABLE",
  DIRECTORY_IN_USE: "UNAVAILABLE",
  STORE_UNUSABLE: "UNAVAILABLE",
  NOT_RECORDED: "UNAVAILABLE",
  REQUEST_ID_REUSED: "ALREADY_EXISTS",
  NOT_ENFORCEABLE: "FAILED_PRECONDITION",
  UNAUTHENTICATED: "UNAUTHENTICATED",
  PERMISSION_DENIED: "PERMISSION_DENIED",
  UNAVAILABLE: "UNAVAILABLE",
};

/** The codes that a server sends: the library's, and INTERNAL for a failure that the library has no code for. */
export type SentCode = ErrorCode | "INTERNAL";

function isSentCode(sent: unknown): sent is SentCode {
  return typeof sent === "string" && (sent === "INTERNAL" || Object.hasOwn(STATUS_OF, sent));
}

/**
 * A connection that is gone when it is written to, or whose peer broke the protocol; grpc-js says UNAVAILABLE of
 * ECONNRESET, and INTERNAL of these.
 */
const LOST_IN_CLIENT = /triggered by internal client error: /;

/** What more is known of a call that failed. */
export interface CallErrorOptions {
  readonly cause?: unknown;
  readonly code?: SentCode | undefined;
  readonly unreachable?: UnreachableReason;
}

/** A call that failed: refused by the server, or never got there. The message is the server's sentence, or one here. */
export class CallError extends Error {
  override readonly name = "CallError";
  /** The canonical status. */
  readonly status: StatusName;
  /** The server's own code, where it sent one. */
  readonly code?: SentCode;
  /** Why the server could not be reached. Absent where it answered. */
  readonly unreachable?: UnreachableReason;

  constructor(status: StatusName, message: string, options: CallErrorOptions = {}) {
    super(message, options);
    this.status = status;
    if (options.code !== undefined) this.code = options.code;
    if (options.unreachable !== undefined) this.unreachable = options.unreachable;
  }

  /** Makes a CallError of whatever a call was rejected with; what is one already stays as it is. */
  static from(error: unknown): CallError {
    if (error instanceof CallError) return error;
    if (!isServiceError(error)) {
      return new CallError("UNKNOWN", "The call failed for an unknown reason", { cause: error });
    }
    const name = LOST_IN_CLIENT.test(error.details) ? "UNAVAILABLE" : (status[error.code] ?? "UNKNOWN") as StatusName;
    const sent = error.metadata?.get(ERROR_CODE_KEY)[0];
    return new CallError(name, error.details || `The call failed with status "${name}"`, {
      cause: error,
      code: isSentCode(sent) ? sent : undefined,
    });
  }
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && Number.isInteger(error.code) && "details" in error &&
    typeof error.details === "string";
}
