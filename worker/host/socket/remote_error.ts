/** Errors as plain data, which the other end of a link makes errors of the same class again. */
import { errorCode } from "../../../base/error_code.ts";
import { errorMessage } from "../../../base/error_message.ts";
import * as errors from "../../errors.ts";
import * as inputErrors from "../../input_errors.ts";
import * as storageErrors from "../../storage_errors.ts";

/** An error as plain data. */
export interface RemoteError {
  readonly message: string;
  /** Absent when the error has none. */
  readonly code?: string;
  /** As in `SignalDeniedError`. */
  readonly isPartial?: boolean;
}

type ErrorClass = abstract new (...args: never[]) => errors.TeleportError;

/** The class of each code. */
const CLASSES: Readonly<Record<errors.ErrorCode, ErrorClass>> = {
  INVALID_ARGUMENT: errors.InvalidArgumentError,
  INVALID_SIGNAL: errors.InvalidSignalError,
  INVALID_CURSOR: errors.InvalidCursorError,
  CURSOR_OUT_OF_RANGE: errors.CursorOutOfRangeError,
  JOB_NOT_FOUND: errors.JobNotFoundError,
  JOB_NOT_RUNNING: errors.JobNotRunningError,
  JOB_RUNNING: errors.JobRunningError,
  SIGNAL_DENIED: errors.SignalDeniedError,
  NOT_ENDED: errors.SurvivorsError,
  NO_INPUT: inputErrors.NoInputError,
  NO_TERMINAL: inputErrors.NoTerminalError,
  INPUT_BUSY: inputErrors.InputBusyError,
  INPUT_CLOSED: inputErrors.InputClosedError,
  INPUT_OFFSET: inputErrors.InputOffsetError,
  INPUT_TAKEN_OVER: inputErrors.InputTakenOverError,
  LIMIT_REACHED: errors.LimitReachedError,
  HOST_EXHAUSTED: errors.HostExhaustedError,
  HOST_UNAVAILABLE: errors.HostUnavailableError,
  OUTPUT_UNAVAILABLE: storageErrors.OutputUnavailableError,
  RECORD_DAMAGED: storageErrors.RecordDamagedError,
  SUPERVISOR_CLOSED: errors.SupervisorClosedError,
  DIRECTORY_IN_USE: storageErrors.DirectoryInUseError,
  STORE_UNUSABLE: storageErrors.StoreUnusableError,
  NOT_RECORDED: storageErrors.NotRecordedError,
  REQUEST_ID_REUSED: errors.RequestIdReusedError,
  INVALID_NAME: errors.InvalidNameError,
  NAME_TAKEN: errors.NameTakenError,
  NOT_ENFORCEABLE: errors.NotEnforceableError,
  UNAUTHENTICATED: errors.TeleportError,
  PERMISSION_DENIED: errors.TeleportError,
  UNAVAILABLE: errors.TeleportError,
};

/** Returns an error as plain data, without its stack. */
export function toRemoteError(error: unknown): RemoteError {
  const code = errorCode(error);
  const isPartial = error instanceof errors.SignalDeniedError ? error.isPartial : undefined;
  return {
    message: errorMessage(error),
    ...(code === undefined ? {} : { code }),
    ...(isPartial === undefined ? {} : { isPartial }),
  };
}

/**
 * Returns the error with the same code and message. It is an instance of the class that has the code. A code that the
 * library does not have gives an `Error` with this code.
 */
export function fromRemoteError(remote: RemoteError): Error {
  const { code, message, isPartial } = remote;
  if (code === undefined || !Object.hasOwn(CLASSES, code)) {
    return Object.assign(new Error(message), code === undefined ? {} : { code });
  }
  const error = new errors.TeleportError(code as errors.ErrorCode, message);
  const { prototype, name } = CLASSES[code as errors.ErrorCode];
  // The constructors make their messages from other values than a message.
  Object.setPrototypeOf(error, prototype);
  return Object.assign(error, { name }, isPartial === undefined ? {} : { isPartial });
}
