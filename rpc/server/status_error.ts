/** What a caller is told when a call fails at the server: our own errors as they are, of all others nothing. */
import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { TeleportError } from "../../mod.ts";
import { ERROR_CODE_KEY, STATUS_OF, type StatusName } from "../shared/errors.ts";

/** Told of every error that callers are not told of. */
export type InternalErrorReport = (error: unknown, method: string) => void;

// A sentence travels as a header, percent-encoded to up to 9 bytes a character; many clients take no more than 8 KiB
// of headers.
const MAX_SENTENCE_LENGTH = 800;

/** The sentence for errors that were not thrown on purpose; the log has the rest. */
export const INTERNAL_MESSAGE = "The server failed to answer: see its log";

/** A refusal by the wire itself, for which the library has no code. */
export class StatusError extends Error {
  readonly status: StatusName;

  constructor(status: StatusName, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Makes the error that grpc-js sends.
 *
 * Of an error that was not thrown on purpose nothing is sent, whatever properties it has: grpc-js would take any number in
 * `code` for a status, and send a message that may name paths of the host.
 */
export function toServiceError(error: unknown, method: string, report: InternalErrorReport): ServiceError {
  const metadata = new Metadata();
  if (error instanceof TeleportError) {
    metadata.set(ERROR_CODE_KEY, error.code);
    return serviceError(STATUS_OF[error.code], error.message, metadata);
  }
  if (error instanceof StatusError) return serviceError(error.status, error.message, metadata);
  report(error, method);
  // Tells a failure of the server from an INTERNAL that the wire made.
  metadata.set(ERROR_CODE_KEY, "INTERNAL");
  return serviceError("INTERNAL", INTERNAL_MESSAGE, metadata);
}

function serviceError(name: StatusName, message: string, metadata: Metadata): ServiceError {
  const details = sentence(message);
  return Object.assign(new Error(details), { code: status[name], details, metadata });
}

/** Cut to what a header can carry, and without half characters, which have no percent-encoding. */
function sentence(message: string): string {
  const cut = message.length > MAX_SENTENCE_LENGTH ? `${message.slice(0, MAX_SENTENCE_LENGTH - 1)}…` : message;
  return cut.toWellFormed();
}
