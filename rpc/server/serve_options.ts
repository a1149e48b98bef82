/** The options of a server, and its interface once it runs. */
import type { CallContext, JobWorkerHandlers, PeerCertificate } from "../../proto/service.ts";
import type { NetworkError } from "../compat/error_boundary.ts";
import type { TlsCredentials } from "../shared/tls_credentials.ts";
import type { Admit } from "./auth_interceptor.ts";
import type { CallObserver } from "./call_observer.ts";
import type { ConnectionOwner } from "./connections/connection.ts";
import type { ConnectionOptions } from "./connections/connection_limits.ts";
import type { ConnectionStatistics } from "./connections/connections.ts";
import type { HandshakeFailure } from "./connections/handshake_failures.ts";
import type { RefusedConnection } from "./connections/refused_connections.ts";
import type { CallLimitOptions, CallLimits } from "./limits/call_limits.ts";
import type { RefusalCause } from "./limits/user_accounts.ts";
import type { InternalErrorReport } from "./status_error.ts";
import type { Revoked } from "./trust.ts";

/** Options of `serve()`. */
export interface ServeOptions extends ConnectionOptions {
  /** An IP address of this machine, 0.0.0.0 or :: for all, or a name. A name stands for its first address. */
  readonly host: string;
  /** The port; 0 picks a free one. */
  readonly port: number;
  /** A TCP socket that listens on this address already. The server closes it. Default: a new socket. */
  readonly descriptor?: number;
  readonly credentials: TlsCredentials;
  readonly handlers: JobWorkerHandlers;
  /**
   * Called before every call of every service, also health and reflection. Refuses a call by throwing a TeleportError.
   */
  readonly admit?: Admit;
  /** Certificates that are not accepted, even when TLS accepts them. Default none. */
  readonly revoked?: Revoked;
  /** Receives every call whose certificate is no longer accepted. */
  readonly onRefused?: (context: CallContext, error: unknown) => void;
  /** Receives every connection whose handshake failed. */
  readonly onHandshakeFailure?: (failure: HandshakeFailure) => void;
  /** Receives the start and end of each call, for monitoring. Default none. */
  readonly observer?: CallObserver;
  /** Receives the errors that callers get as INTERNAL. */
  readonly onInternalError?: InternalErrorReport;
  /** Receives the first error of each kind at a connection. Its connection or call has ended. */
  readonly onNetworkError?: (error: NetworkError) => void;
  /** Called for each connection, its end, and each call. Afterwards the process may have memory to free. */
  readonly onActivity?: () => void;
  /** Called when a client asks for the health, and every few seconds while one watches it. Must return at once. */
  readonly onHealthAsked?: () => void;
  /** The limits of calls that differ from the defaults. */
  readonly limits?: Partial<CallLimitOptions>;
  /** Receives every call that a limit refused or ended. */
  readonly onLimit?: (cause: RefusalCause, user: string) => void;
  /** Receives every connection that a limit or an error closed, perhaps thousands a second. */
  readonly onConnectionRefused?: (refused: RefusedConnection) => void;
  /**
   * Returns the owner of a connection, for its limits. Must not throw. Default: each certificate is a member of its
   * own.
   */
  readonly ownerOf?: (certificate: PeerCertificate) => ConnectionOwner;
}

/** A running server. */
export interface RpcServer {
  /** The host as it was given. */
  readonly host: string;
  /** The port; the picked one where 0 was given. */
  readonly port: number;
  /** The number of open connections. */
  readonly connections: number;
  /** The number of caught errors of each kind at connections. */
  readonly networkErrors: ReadonlyMap<string, number>;
  /** The counters of calls, streams, bytes and refusals. Only to be read. */
  readonly limits: CallLimits;
  /** Open, accepted and refused connections. */
  readonly connectionStatistics: ConnectionStatistics;
  /**
   * Replaces the credentials and the revoked certificates. Open connections stay, except those of revoked certificates:
   * their streams end with UNAUTHENTICATED, and then the connections end.
   *
   * @throws {TlsCredentialsError} when a part cannot be used; nothing has changed
   */
  renew(trust: { readonly credentials: TlsCredentials; readonly revoked: Revoked }): void;
  /** Determines the owner of each connection again after a change of the policy. */
  reclassify(): void;
  /** Sets the answer of the health service. */
  setServing(serving: boolean): void;
  /**
   * Refuses new calls, and resolves when the last call and connection have ended. Calls that are open after the grace
   * period end with UNAVAILABLE. A second call joins the first.
   */
  shutdown(options: { graceMs: number }): Promise<void>;
  /** Ends all calls and connections at once. */
  [Symbol.asyncDispose](): Promise<void>;
}
