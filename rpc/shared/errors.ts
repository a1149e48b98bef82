/** Errors on the wire: the canonical status of each error code of the library, and the error of a failed call. */
import type { ServiceError } from "@grpc/grpc-js";
// Not from the package itself, which a client would then load whole.
import { Status as status } from "@grpc/grpc-js/build/src/constants.js";
import type { ErrorCode } from "../../mod.ts";
import type { UnreachableReason } from "./unavailable.ts";

/** The name of a canonical status: https://grpc.io/docs/guides/status-codes/ */
export type StatusName = keyof typeof status;

/** The key of the trailing metadata with the library's error code, which is more exact than the status. */
export const ERROR_CODE_KEY = "teleport-error-code";

/** The canonical status of each error code of the library. */
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
  NO_TERMINAL: "FAILED_PRECONDITION",
  INPUT_BUSY: "FAILED_PRECONDITION",
  INPUT_CLOSED: "FAILED_PRECONDITION",
  INPUT_OFFSET: "OUT_OF_RANGE",
  // gRPC uses ABORTED for a call that a later call replaced.
  INPUT_TAKEN_OVER: "ABORTED",
  LIMIT_REACHED: "RESOURCE_EXHAUSTED",
  HOST_EXHAUSTED: "RESOURCE_EXHAUSTED",
  HOST_UNAVAILABLE: "UNAVAILABLE",
  OUTPUT_UNAVAILABLE: "DATA_LOSS",
  RECORD_DAMAGED: "DATA_LOSS",
  SUPERVISOR_CLOSED: "UNAVAILABLE",
  DIRECTORY_IN_USE: "UNAVAILABLE",
  STORE_UNUSABLE: "UNAVAILABLE",
  NOT_RECORDED: "UNAVAILABLE",
  REQUEST_ID_REUSED: "ALREADY_EXISTS",
  INVALID_NAME: "INVALID_ARGUMENT",
  NAME_TAKEN: "ALREADY_EXISTS",
  NOT_ENFORCEABLE: "FAILED_PRECONDITION",
  UNAUTHENTICATED: "UNAUTHENTICATED",
  PERMISSION_DENIED: "PERMISSION_DENIED",
  UNAVAILABLE: "UNAVAILABLE",
};

/** The error codes that a server sends: those of the library, and INTERNAL for other failures. */
export type SentCode = ErrorCode | "INTERNAL";

function isSentCode(sent: unknown): sent is SentCode {
  return typeof sent === "string" && (sent === "INTERNAL" || Object.hasOwn(STATUS_OF, sent));
}

/**
 * The text of grpc-js for a connection that was gone at a write, or whose peer broke the protocol. grpc-js reports
 * these as INTERNAL. It reports a reset connection as UNAVAILABLE.
 */
const LOST_IN_CLIENT = /triggered by internal client error: /;

/** Further facts about a call that failed. */
export interface CallErrorOptions {
  readonly cause?: unknown;
  readonly code?: SentCode | undefined;
  readonly unreachable?: UnreachableReason;
}

/**
 * A call that the server refused, or that did not reach it. The message is the server's, or an explanation of the
 * client.
 */
export class CallError extends Error {
  override readonly name = "CallError";
  /** The canonical status. */
  readonly status: StatusName;
  /** The error code of the server. Absent when it sent none. */
  readonly code?: SentCode;
  /** Why the server could not be reached. Absent when it answered. */
  readonly unreachable?: UnreachableReason;

  constructor(status: StatusName, message: string, options: CallErrorOptions = {}) {
    super(message, options);
    this.status = status;
    if (options.code !== undefined) this.code = options.code;
    if (options.unreachable !== undefined) this.unreachable = options.unreachable;
  }

  /** Returns a CallError for any error of a call. A CallError is returned unchanged. */
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
