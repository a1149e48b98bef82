/**
 * The calls of the service as TypeScript sees them: what a handler takes and gives, and what a client offers. The
 * wire (`rpc/`), the meaning (`service/`) and the command line (`cli/`) meet here and need not know each other.
 */
import type { JobWorkerCalls } from "./teleport/v1/job_worker.ts";

/** A message to be sent: every field may be left out, and then has its default. */
export type Sent<T> = T extends Uint8Array | string | number | boolean | null ? T
  : T extends (infer Item)[] ? Sent<Item>[]
  : { [K in keyof T]?: Sent<T[K]> | undefined };

/** The name of a call, such as `Register`. */
export type CallName = keyof JobWorkerCalls;

/** The certificate the caller proved to hold. */
export interface PeerCertificate {
  /** Common names of the subject, in order. Exactly one in a certificate that names a user. */
  readonly commonNames: readonly string[];
  /** Organizations of the subject, in order. */
  readonly organizations: readonly string[];
  /** True when the certificate may sign others (basicConstraints CA). */
  readonly isAuthority: boolean;
  /** The name of what issued it, as RFC 4514 writes names: a serial number alone may be several certificates'. */
  readonly issuer: string;
  /** Upper-case hexadecimal, no separators. */
  readonly serialNumber: string;
  /** SHA-256 of the certificate, lower-case hexadecimal, no separators. */
  readonly fingerprint: string;
  /** The end of its validity. */
  readonly notAfter: Date;
}

/** What a handler knows of a call besides its message. */
export interface CallContext {
  /** Aborts when the call is over for whatever reason: answered, cancelled, deadline passed, connection lost. */
  readonly signal: AbortSignal;
  /** The full name of the method, such as `/teleport.v1.JobWorker/Register`. */
  readonly method: string;
  /** The caller's address and port. */
  readonly peer: string;
  /** The caller's certificate, verified against the CA. Absent on a connection that has none. */
  readonly certificate?: PeerCertificate;
  /**
   * Resolves when it is the caller's turn to use the event loop; undefined while that is now. To be asked before each
   * piece of a work of many milliseconds. Absent outside a server.
   */
  readonly turn?: () => Promise<void> | undefined;
}

/** Handlers of all calls: an async function for a single answer, an async iterable for a stream, given or taken. */
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
  /** Ends the call; it then rejects with code CANCELLED. */
  readonly signal?: AbortSignal;
  /** Gives up after this long with code DEADLINE_EXCEEDED. Absent: never. */
  readonly deadlineMs?: number;
}

/**
 * A typed client of all calls. A stream is one call each time it is iterated; leaving the loop cancels it. A stream that
 * is sent is asked for its next message when the one before has left.
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
