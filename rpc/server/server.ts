/** Serves the calls of teleport over mTLS, with health and reflection beside them. */
import { networkErrorCounts, onNetworkError } from "../compat/http2_guard.ts";
import * as grpc from "@grpc/grpc-js";
import { TeleportError } from "../../mod.ts";
import type { CallContext, CallName, JobWorkerHandlers, PeerCertificate } from "../../proto/service.ts";
import { OpenCalls, serverStreamingHandler, SHUTDOWN_MESSAGE, unaryHandler } from "./adapter/calls.ts";
import { clientStreamingHandler } from "./adapter/client_streaming.ts";
import type { Address } from "../shared/address.ts";
import type { NetworkError } from "../compat/error_boundary.ts";
import { Connections, type ConnectionStatistics, MAX_CALLS_PER_CONNECTION } from "./connections/connections.ts";
import { checkTlsCredentials, pemBytes, type TlsCredentials } from "../shared/tls_credentials.ts";
import { type CallObserver, observeCalls } from "./call_observer.ts";
import { type Method, methods, SERVICE_NAME } from "../shared/definition.ts";
import { type Admit, authInterceptor, type AuthInterceptorOptions, certificateOfSession } from "./auth_interceptor.ts";
import { type HandshakeFailure, reportHandshakeFailures } from "./connections/handshake_failures.ts";
import { freeSentFrames } from "../compat/frame_memory.ts";
import { Health } from "./health.ts";
import { healthMethods } from "../shared/health_definition.ts";
import { type CallLimitOptions, CallLimits } from "./limits/call_limits.ts";
import { withRawRequests } from "./adapter/read_request.ts";
import type { RefusalCause } from "./limits/user_accounts.ts";
import { widenReceiveWindows } from "./receive_window.ts";
import { addReflection } from "./reflection.ts";
import type { InternalErrorReport } from "./status_error.ts";
import { KEEPALIVE_MS, KEEPALIVE_TIMEOUT_MS } from "../shared/keepalive.ts";
import { connectionLimits, type ConnectionOptions } from "./connections/connection_limits.ts";
import type { ConnectionOwner } from "./connections/connection_slots.ts";
import type { RefusedConnection } from "./connections/refused_connections.ts";
import { replaceCertificates, serverMadeBy } from "./tls.ts";
import { type Revoked, REVOKED_MESSAGE, Trust } from "./trust.ts";

export { AddressError, parseAddress } from "../shared/address.ts";
export {
  checkTlsCredentials as checkCredentials,
  type TlsCredentials,
  TlsCredentialsError,
} from "../shared/tls_credentials.ts";
export type { NetworkError } from "../compat/error_boundary.ts";
export type { ConnectionStatistics } from "./connections/connections.ts";
export type { HandshakeFailure } from "./connections/handshake_failures.ts";
export type { CallObserver } from "./call_observer.ts";
export type { ConnectionOwner } from "./connections/connection_slots.ts";
export type { ConnectionRefusalCause, RefusedConnection } from "./connections/refused_connections.ts";
export type { Revoked } from "./trust.ts";

/** Options of {@linkcode serve}. */
export interface ServeOptions extends ConnectionOptions {
  /** An IP address of this machine, 0.0.0.0 or :: for all, or a name: then the first address it has. */
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly credentials: TlsCredentials;
  readonly handlers: JobWorkerHandlers;
  /** Called before every call of every service, health and reflection included; refuses by throwing a TeleportError. */
  readonly admit?: Admit;
  /** Certificates that are accepted no more, whatever TLS says. Default none. */
  readonly revoked?: Revoked;
  /** Told of every call whose certificate was accepted once and is not any more. */
  readonly onRefused?: (context: CallContext, error: unknown) => void;
  /** Told of every connection that TLS refused. */
  readonly onHandshakeFailure?: (failure: HandshakeFailure) => void;
  /** Receives the begin and end of each call, for monitoring. Default: nobody. */
  readonly observer?: CallObserver;
  /** Told of the errors that callers only know as INTERNAL. */
  readonly onInternalError?: InternalErrorReport;
  /** Receives the first error of each kind that was caught at a connection; its connection or call has ended. */
  readonly onNetworkError?: (error: NetworkError) => void;
  /** Called for each connection, its end, and each call: after these there may be memory to give back. */
  readonly onActivity?: () => void;
  /** What one user may hold at a time, and what may wait to be read. */
  readonly limits?: Partial<CallLimitOptions>;
  /** Told of every call that a limit refused or ended. */
  readonly onLimit?: (cause: RefusalCause, user: string) => void;
  /** Called for every connection that a limit or an error closed. There may be thousands a second. */
  readonly onConnectionRefused?: (refused: RefusedConnection) => void;
  /**
   * Who a certificate stands for in the limits of connections. Default: each certificate is a user of its own.
   * Must not throw.
   */
  readonly ownerOf?: (certificate: PeerCertificate) => ConnectionOwner;
}

/** A running server. */
export interface RpcServer {
  /** As it was given. */
  readonly host: string;
  /** The real one, where 0 was given. */
  readonly port: number;
  /** How many connections are open. */
  readonly connections: number;
  /** The number of errors of each kind that were caught at connections. */
  readonly networkErrors: ReadonlyMap<string, number>;
  /** Counters of calls, streams, bytes and refusals; to be read only. */
  readonly limits: CallLimits;
  /** What connections there are and were, and how many were refused for which cause. */
  readonly connectionStatistics: ConnectionStatistics;
  /**
   * Serves with these from now on. Connections and their calls live on, but for those of revoked certificates: their
   * streams end with UNAUTHENTICATED, and their connections a moment later.
   *
   * @throws {TlsCredentialsError} When a part cannot be used; then nothing has changed
   */
  renew(trust: { readonly credentials: TlsCredentials; readonly revoked: Revoked }): void;
  /** Asks again what each certificate stands for, because the policy has changed. */
  reclassify(): void;
  /** What health says from now on. */
  setServing(serving: boolean): void;
  /**
   * Takes no more calls, and resolves when the last one has ended and every connection with it; calls that have not ended
   * after the grace are ended with UNAVAILABLE. A second call joins the first.
   */
  shutdown(options: { graceMs: number }): Promise<void>;
  /** Cuts everything off at once. */
  [Symbol.asyncDispose](): Promise<void>;
}

// The largest request is a job with arguments and environment, which Linux bounds at 2 MiB.
const MAX_REQUEST_BYTES = 4 * 1024 * 1024;

/**
 * Serves until it is shut down.
 *
 * @throws {TlsCredentialsError} When a certificate or the key cannot be used
 * @throws {AddressError} When the address cannot be listened on
 */
export async function serve(options: ServeOptions): Promise<RpcServer> {
  const { handlers, admit = () => {}, onActivity = () => {}, onInternalError: report = () => {} } = options;
  checkTlsCredentials(options.credentials);
  const trust = new Trust(options.credentials.ca, options.revoked ?? new Set());
  let stopped: Promise<void> | undefined;
  // Connections stay open for a moment, for the calls that are.
  const admitOpen: Admit = (context) => {
    onActivity();
    if (stopped) throw new TeleportError("UNAVAILABLE", SHUTDOWN_MESSAGE);
    admit(context);
  };
  const health = new Health(["", SERVICE_NAME]);
  const limits = new CallLimits(
    [...Object.values(methods), ...Object.values(healthMethods())] as Method[],
    options.limits,
    options.onLimit,
  );
  const refusalOf = (session: object) => connections.refusalOf(session);
  const judge: AuthInterceptorOptions["judge"] = (stream, verdict) => connections.judge(stream, verdict);
  const server = new grpc.Server({
    "grpc.max_receive_message_length": MAX_REQUEST_BYTES,
    // The adapter has its own limit, with a better sentence.
    "grpc.max_send_message_length": -1,
    "grpc.max_concurrent_streams": MAX_CALLS_PER_CONNECTION,
    "grpc.enable_channelz": 0,
    // A peer that vanished without a word is noticed by an unanswered ping; seldom enough to let idle machines idle.
    "grpc.keepalive_time_ms": KEEPALIVE_MS,
    "grpc.keepalive_timeout_ms": KEEPALIVE_TIMEOUT_MS,
    interceptors: [
      ...(options.observer === undefined ? [] : [observeCalls(options.observer)]),
      authInterceptor({
        admit: admitOpen,
        trust,
        onRefused: options.onRefused ?? (() => {}),
        report,
        limits,
        refusalOf,
        judge,
      }),
    ],
  });
  const calls = new OpenCalls(report, limits);
  addHandlers(server, handlers, calls);
  health.addTo(server, calls);
  addReflection(server, [SERVICE_NAME, "grpc.health.v1.Health"], calls);

  const { ca, cert, key } = pemBytes(options.credentials);
  const credentials = grpc.ServerCredentials.createSsl(ca, [{ private_key: key, cert_chain: cert }], true);
  const { made: injector, server: http2Server } = serverMadeBy(() => server.createConnectionInjector(credentials));
  const { onHandshakeFailure = () => {}, ownerOf: standingOf = ownUser } = options;
  const connections: Connections = new Connections({
    limits: connectionLimits(options),
    take: (socket) => {
      onActivity();
      socket.once("close", onActivity);
      injector.injectConnection(socket);
    },
    ownerOf: (session) => {
      const certificate = certificateOfSession(session);
      if (certificate === undefined) return { user: "", isMember: false };
      const standing = standingOf(certificate);
      // TLS has just verified the rest, which costs as much as all else here.
      return trust.isRevoked(certificate) ? { ...standing, isMember: false } : standing;
    },
    onRefused: options.onConnectionRefused ?? (() => {}),
    onHandshakeFailure,
    onError: (error) => report(error, "accept"),
  });
  onNetworkError(http2Server, options.onNetworkError ?? (() => {}));
  connections.watch(http2Server);
  freeSentFrames(http2Server, (stream) => limits.answers.meter(stream));
  widenReceiveWindows(http2Server);
  reportHandshakeFailures(http2Server, (certificate) => trust.rejectionReason(certificate), onHandshakeFailure);
  const revoked = (certificate: PeerCertificate | undefined) =>
    certificate !== undefined && trust.isRevoked(certificate);
  // Its call is told why before that; a revoked certificate must not hold the places of others.
  // Read here, so that each call of the session finds it, with the chain that only the session's socket has.
  http2Server.on("session", (session) => {
    if (revoked(certificateOfSession(session))) connections.cutAfterAnswer(session);
  });
  const address: Address = await connections.listen({ host: options.host, port: options.port });

  const shutdown = ({ graceMs }: { graceMs: number }): Promise<void> =>
    stopped ??= (async () => {
      health.close();
      await connections.close(graceMs, () => calls.endAll());
      server.forceShutdown();
      limits[Symbol.dispose]();
    })();
  return {
    host: address.host,
    port: address.port,
    limits,
    get connections() {
      return connections.size;
    },
    get networkErrors() {
      return networkErrorCounts(http2Server);
    },
    get connectionStatistics() {
      return connections.statistics;
    },
    reclassify: () => connections.reclassify(),
    renew({ credentials, revoked: revokedNow }) {
      checkTlsCredentials(credentials);
      replaceCertificates(http2Server, credentials);
      trust.replace(credentials.ca, revokedNow);
      connections.reclassify();
      calls.endOf(revoked, new TeleportError("UNAUTHENTICATED", REVOKED_MESSAGE));
      connections.expel((session) => revoked(certificateOfSession(session)));
    },
    setServing: (serving) => health.setServing(serving),
    shutdown,
    [Symbol.asyncDispose]: () => shutdown({ graceMs: 0 }),
  };
}

/** What a certificate stands for where nobody says. */
function ownUser({ fingerprint }: PeerCertificate): ConnectionOwner {
  return { user: fingerprint, isMember: true };
}

function addHandlers(server: grpc.Server, handlers: JobWorkerHandlers, calls: OpenCalls): void {
  const implementation: grpc.UntypedServiceImplementation = {};
  for (const name of Object.keys(methods) as CallName[]) {
    const method = methods[name];
    const handler = handlers[name].bind(handlers);
    implementation[name] = method.requestStream
      ? clientStreamingHandler(method, handler as Parameters<typeof clientStreamingHandler>[1], calls)
      : method.responseStream
      ? serverStreamingHandler(method, handler as Parameters<typeof serverStreamingHandler>[1], calls)
      : unaryHandler(method, handler as Parameters<typeof unaryHandler>[1], calls);
  }
  const raw = Object.entries(methods).map(([name, method]) => [name, withRawRequests(method as Method)]);
  server.addService(Object.fromEntries(raw), implementation);
}
