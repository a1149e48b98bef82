/** Errors of handlers as gRPC statuses: our own errors as they are, and no details of any other error. */
import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { TeleportError } from "../../mod.ts";
import { ERROR_CODE_KEY, STATUS_OF, type StatusName } from "../shared/errors.ts";

/** Receives every error whose details the caller does not get, and the path of the method. */
export type InternalErrorReport = (error: unknown, method: string) => void;

/**
 * The longest message. It travels as a header, percent-encoded in up to 9 bytes a character. Many clients accept at
 * most 8 KiB of headers.
 */
const MAX_MESSAGE_LENGTH = 800;

/** The message for unexpected errors. The log has the details. */
const INTERNAL_MESSAGE = "The server failed to answer: see its log";

/** An error of the wire, for which the library has no code. */
export class StatusError extends Error {
  readonly status: StatusName;

  constructor(status: StatusName, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Returns the error for grpc-js to send.
 *
 * Other errors than a TeleportError or a StatusError are reported, and nothing of them is sent. With such an error
 * grpc-js would use a number in `code` as the status. It would also send the message, which may contain paths of the
 * host.
 */
export function toServiceError(error: unknown, method: string, report: InternalErrorReport): ServiceError {
  const metadata = new Metadata();
  if (error instanceof TeleportError) {
    metadata.set(ERROR_CODE_KEY, error.code);
    return serviceError(STATUS_OF[error.code], error.message, metadata);
  }
  if (error instanceof StatusError) return serviceError(error.status, error.message, metadata);
  report(error, method);
  // This code distinguishes a failure of the server from an INTERNAL that grpc-js makes.
  metadata.set(ERROR_CODE_KEY, "INTERNAL");
  return serviceError("INTERNAL", INTERNAL_MESSAGE, metadata);
}

function serviceError(name: StatusName, message: string, metadata: Metadata): ServiceError {
  const details = headerText(message);
  return Object.assign(new Error(details), { code: status[name], details, metadata });
}

/** Shortens a message for a header. Replaces half characters, which have no percent-encoding. */
function headerText(message: string): string {
  const cut = message.length > MAX_MESSAGE_LENGTH ? `${message.slice(0, MAX_MESSAGE_LENGTH - 1)}…` : message;
  return cut.toWellFormed();
}
