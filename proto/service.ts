/**
 * The types of handlers and clients of the service. `rpc/`, `service/` and `cli/` share these types, so that they need
 * not import each other.
 */
import type { JobWorkerCalls } from "./teleport/v1/job_worker.ts";

/** A message to send. A field that is left out has its default. */
export type Sent<T> = T extends Uint8Array | string | number | boolean | null ? T
  : T extends (infer Item)[] ? Sent<Item>[]
  : { [K in keyof T]?: Sent<T[K]> | undefined };

/** The name of a call, such as `Register`. */
export type CallName = keyof JobWorkerCalls;

/** The certificate of a caller, who has proved to hold its key. */
export interface PeerCertificate {
  /** The common names of the subject, in order. A certificate that names a user has exactly one. */
  readonly commonNames: readonly string[];
  /** The organizations of the subject, in order. */
  readonly organizations: readonly string[];
  /** True when the certificate may sign others (basicConstraints CA). */
  readonly isAuthority: boolean;
  /** The name of the issuer, in the form of RFC 4514. A serial number is unique only for one issuer. */
  readonly issuer: string;
  /** The serial number in upper-case hexadecimal, without separators. */
  readonly serialNumber: string;
  /** The SHA-256 of the certificate in lower-case hexadecimal, without separators. */
  readonly fingerprint: string;
  /** The end of the certificate's validity. */
  readonly notAfter: Date;
}

/** The context of a call, for its handler. */
export interface CallContext {
  /** Aborts when the call is over: answered, cancelled, past its deadline, or without a connection. */
  readonly signal: AbortSignal;
  /** The full name of the method, such as `/teleport.v1.JobWorker/Register`. */
  readonly method: string;
  /** The caller's address and port. */
  readonly peer: string;
  /** The caller's certificate, which TLS has verified. Absent when the connection has none. */
  readonly certificate?: PeerCertificate;
  /**
   * Resolves when it is the caller's turn to use the event loop. Returns undefined when that is now. Long work calls it
   * before each step of some milliseconds. Absent outside a server.
   */
  readonly turn?: () => Promise<void> | undefined;
}

/** The handlers of all calls. A single answer is a promise; a stream is an async iterable. */
export type JobWorkerHandlers = {
  [Name in CallName]: JobWorkerCalls[Name] extends
    { request: infer Request; response: infer Response; requestStream: true }
    ? (requests: AsyncIterable<Request>, context: CallContext) => Promise<Sent<Response>>
    : JobWorkerCalls[Name] extends { request: infer Request; response: infer Response; stream: true }
      ? (request: Request, context: CallContext) => AsyncIterable<Sent<Response>>
    : JobWorkerCalls[Name] extends { request: infer Request; response: infer Response }
      ? (request: Request, context: CallContext) => Promise<Sent<Response>>
    : never;
};

/** Options of a client's call. */
export interface CallOptions {
  /** Cancels the call, which then rejects with CANCELLED. */
  readonly signal?: AbortSignal;
  /** The deadline in milliseconds. The call then rejects with DEADLINE_EXCEEDED. Absent: no deadline. */
  readonly deadlineMs?: number;
}

/**
 * A typed client of all calls. Each iteration of a stream makes one call, and leaving the loop cancels it. A stream of
 * requests is asked for its next message after the last one was sent.
 */
export type JobWorkerClient = {
  [Name in CallName]: JobWorkerCalls[Name] extends
    { request: infer Request; response: infer Response; requestStream: true }
    ? (requests: AsyncIterable<Sent<Request>>, options?: CallOptions) => Promise<Response>
    : JobWorkerCalls[Name] extends { request: infer Request; response: infer Response; stream: true }
      ? (request: Sent<Request>, options?: CallOptions) => AsyncIterable<Response>
    : JobWorkerCalls[Name] extends { request: infer Request; response: infer Response }
      ? (request: Sent<Request>, options?: CallOptions) => Promise<Response>
    : never;
};
