/**
 * The parts that all handlers share: the open calls of a server, the context of a call, and the encoding of answers.
 */
import type { ServerUnaryCall } from "@grpc/grpc-js";
import type { Buffer } from "node:buffer";
import { LimitReachedError, TeleportError } from "../../../mod.ts";
import type { CallContext, PeerCertificate } from "../../../proto/service.ts";
import type { Method } from "../../shared/definition.ts";
import { certificateOf, peerOf } from "../peer_certificate.ts";
import type { CallLimits } from "../limits/call_limits.ts";
import { type InternalErrorReport, StatusError } from "../status_error.ts";

/** The size that clients accept by default. For a larger answer they would fail with a less useful error. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** The error message of calls from the start of a shutdown on. */
export const SHUTDOWN_MESSAGE = "The server is shutting down: try again when it is back";

// deno-lint-ignore no-explicit-any -- grpc-js knows the type of a message only by the name of its method
export type Message = any;

/** The open calls of one server, and the parts that its handlers share. */
export class OpenCalls {
  readonly #open = new Map<(reason: Error) => void, PeerCertificate | undefined>();
  /** Receives errors whose details the caller does not get. */
  readonly report: InternalErrorReport;
  /** The limits that each call waits for. */
  readonly limits: CallLimits;

  constructor(report: InternalErrorReport, limits: CallLimits) {
    this.report = report;
    this.limits = limits;
  }

  /** Ends all open calls with UNAVAILABLE. */
  endAll(): void {
    const reason = new TeleportError("UNAVAILABLE", SHUTDOWN_MESSAGE);
    for (const end of this.#open.keys()) end(reason);
  }

  /** Ends the open calls whose certificates a function selects. */
  endOf(isSelected: (certificate: PeerCertificate) => boolean, reason: Error): void {
    for (const [end, certificate] of this.#open) if (certificate && isSelected(certificate)) end(reason);
  }

  /** Counts a call as open, until {@linkcode delete}. */
  add(end: (reason: Error) => void, certificate: PeerCertificate | undefined): void {
    this.#open.set(end, certificate);
  }

  /** Forgets a call that is over. */
  delete(end: (reason: Error) => void): void {
    this.#open.delete(end);
  }
}

/**
 * Returns the context of a call for its handler.
 *
 * @param end ends the call with an error, in addition to the signal, when the server ends it
 * @param onOver is called once the signal has aborted; a listener of the signal would cost more memory
 */
export function contextOf(
  call: Pick<ServerUnaryCall<Message, Message>, "getPeer" | "getAuthContext"> & {
    on(event: "cancelled", listener: () => void): unknown;
  },
  method: Method,
  calls: OpenCalls,
  end: (reason: Error) => void,
  onOver?: () => void,
): CallContext {
  const over = new AbortController();
  const abort = () => {
    calls.delete(endByServer);
    if (over.signal.aborted) return;
    over.abort(new StatusError("CANCELLED", "The call is over"));
    onOver?.();
  };
  const endByServer = (reason: Error) => {
    end(reason);
    abort();
  };
  // grpc-js emits this once for every call, also after a normal end.
  call.on("cancelled", abort);
  const certificate = certificateOf(call);
  calls.add(endByServer, certificate);
  const { limits } = calls;
  const account = limits.accountOf(call);
  return {
    signal: over.signal,
    method: method.path,
    peer: peerOf(call),
    ...(certificate && { certificate }),
    turn: () => limits.turn(account),
  };
}

/**
 * Encodes an answer. grpc-js does not do it, so that a failure is reported like any other.
 *
 * @throws {LimitReachedError} when the answer is larger than clients accept
 */
export function encode(method: Method, message: object): Buffer {
  const bytes = method.responseSerialize(message);
  if (bytes.length > MAX_ANSWER_BYTES) {
    throw new LimitReachedError(
      `Cannot send an answer of ${bytes.length} bytes: it must have at most ${MAX_ANSWER_BYTES}, ask for less at a time`,
    );
  }
  return bytes;
}
