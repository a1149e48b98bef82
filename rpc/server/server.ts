/** Serves the calls of teleport over mTLS, and the standard services for health and reflection. */
import { networkErrorCounts, onNetworkError } from "../compat/http2_guard.ts";
import * as grpc from "@grpc/grpc-js";
import { TeleportError } from "../../mod.ts";
import type { CallName, JobWorkerHandlers, PeerCertificate } from "../../proto/service.ts";
import { freeSentFrames } from "../compat/frame_memory.ts";
import { decodeWithoutParts } from "../compat/message_decoder.ts";
import { captureServer } from "../compat/secure_server.ts";
import { type Method, methods } from "../shared/definition.ts";
import { SERVICE_NAME } from "../shared/message_form.ts";
import { healthMethods } from "../shared/health_definition.ts";
import { KEEPALIVE_MS, KEEPALIVE_TIMEOUT_MS } from "../shared/keepalive.ts";
import { checkTlsCredentials, pemBytes } from "../shared/tls_credentials.ts";
import { OpenCalls, SHUTDOWN_MESSAGE } from "./adapter/calls.ts";
import { clientStreamingHandler } from "./adapter/client_streaming.ts";
import { withRawRequests } from "./adapter/read_request.ts";
import { serverStreamingHandler } from "./adapter/server_streaming.ts";
import { unaryHandler } from "./adapter/unary.ts";
import { type Admit, authInterceptor } from "./auth_interceptor.ts";
import { observeCalls } from "./call_observer.ts";
import { certificateOfSession } from "./peer_certificate.ts";
import type { ConnectionOwner } from "./connections/connection.ts";
import { connectionLimits, MAX_CALLS_PER_CONNECTION } from "./connections/connection_limits.ts";
import { Connections } from "./connections/connections.ts";
import { reportHandshakeFailures } from "./connections/handshake_failures.ts";
import { Health } from "./health.ts";
import { CallLimits } from "./limits/call_limits.ts";
import { widenReceiveWindows } from "./receive_window.ts";
import { addReflection } from "./reflection.ts";
import type { RpcServer, ServeOptions } from "./serve_options.ts";
import { replaceCertificates } from "./tls.ts";
import { REVOKED_MESSAGE, Trust } from "./trust.ts";

export { AddressError, parseAddress } from "../shared/address.ts";
export { checkTlsCredentials, type TlsCredentials, TlsCredentialsError } from "../shared/tls_credentials.ts";
export type { NetworkError } from "../compat/error_boundary.ts";
export type { ConnectionOwner } from "./connections/connection.ts";
export type { ConnectionStatistics } from "./connections/connections.ts";
export type { HandshakeFailure } from "./connections/handshake_failures.ts";
export type { ConnectionRefusalCause, RefusedConnection } from "./connections/refused_connections.ts";
export type { CallObserver } from "./call_observer.ts";
export type { RpcServer, ServeOptions } from "./serve_options.ts";
export type { Revoked } from "./trust.ts";

decodeWithoutParts();

/** The largest request is a job with arguments and environment, which Linux limits to 2 MiB. */
const MAX_REQUEST_BYTES = 4 * 1024 * 1024;

const SETTINGS: grpc.ServerOptions = {
  "grpc.max_receive_message_length": MAX_REQUEST_BYTES,
  // The adapter checks the size itself, with a more useful error.
  "grpc.max_send_message_length": -1,
  "grpc.max_concurrent_streams": MAX_CALLS_PER_CONNECTION,
  "grpc.enable_channelz": 0,
  // An unanswered ping shows that the peer is gone. Pings are rare, so that idle machines stay idle.
  "grpc.keepalive_time_ms": KEEPALIVE_MS,
  "grpc.keepalive_timeout_ms": KEEPALIVE_TIMEOUT_MS,
};

/**
 * Starts a server, which serves until its shutdown.
 *
 * @example
 * ```ts ignore
 * await using server = await serve({ host: "127.0.0.1", port: 0, credentials, handlers });
 * console.log(server.port);
 * ```
 *
 * @throws {TlsCredentialsError} when a certificate or the key cannot be used
 * @throws {AddressError} when the server cannot listen on the address
 */
export async function serve(options: ServeOptions): Promise<RpcServer> {
  const { admit = () => {}, onActivity = () => {}, onInternalError: report = () => {} } = options;
  const { onHandshakeFailure = () => {}, ownerOf = ownUser } = options;
  checkTlsCredentials(options.credentials);
  const trust = new Trust(options.credentials.ca, options.revoked ?? new Set());
  let stopped: Promise<void> | undefined;
  // During a shutdown, connections stay open for their open calls.
  const admitOpen: Admit = (context) => {
    onActivity();
    if (stopped) throw new TeleportError("UNAVAILABLE", SHUTDOWN_MESSAGE);
    admit(context);
  };
  const limits = new CallLimits(
    [...Object.values(methods), ...Object.values(healthMethods())] as Method[],
    options.limits,
    options.onLimit,
  );
  const connections = new Connections({
    limits: connectionLimits(options),
    take: (socket) => {
      onActivity();
      socket.once("close", onActivity);
      injector.injectConnection(socket);
    },
    ownerOf: (session) => {
      const certificate = certificateOfSession(session);
      if (certificate === undefined) return { user: "", isMember: false };
      const owner = ownerOf(certificate);
      // Only revocation is checked: TLS has just verified the chain, which takes as long as all other steps.
      return trust.isRevoked(certificate) ? { ...owner, isMember: false } : owner;
    },
    onRefused: options.onConnectionRefused ?? (() => {}),
    onHandshakeFailure,
    onError: (error) => report(error, "accept"),
  });
  const server = new grpc.Server({
    ...SETTINGS,
    interceptors: [
      ...(options.observer === undefined ? [] : [observeCalls(options.observer)]),
      authInterceptor({
        admit: admitOpen,
        trust,
        onRefused: options.onRefused ?? (() => {}),
        report,
        limits,
        limitErrorOf: (session) => connections.sessions.limitErrorOf(session),
        outcomes: connections.sessions.outcomes,
      }),
    ],
  });
  const calls = new OpenCalls(report, limits);
  addHandlers(server, options.handlers, calls);
  const health = new Health(["", SERVICE_NAME], options.onHealthAsked ?? (() => {}));
  health.addTo(server, calls);
  addReflection(server, [SERVICE_NAME, "grpc.health.v1.Health"], calls);

  const { ca, cert, key } = pemBytes(options.credentials);
  const credentials = grpc.ServerCredentials.createSsl(ca, [{ private_key: key, cert_chain: cert }], true);
  const { made: injector, server: http2Server } = captureServer(() => server.createConnectionInjector(credentials));
  onNetworkError(http2Server, options.onNetworkError ?? (() => {}));
  connections.watch(http2Server);
  freeSentFrames(http2Server, (stream) => limits.answers.meter(stream));
  widenReceiveWindows(http2Server);
  reportHandshakeFailures(http2Server, (certificate) => trust.rejectionReason(certificate), onHandshakeFailure);
  const isRevoked = (certificate: PeerCertificate | undefined) =>
    certificate !== undefined && trust.isRevoked(certificate);
  // A revoked client gets the reason with its first call, and then loses its slot. The certificate is read here for all
  // calls of the session, because only the session's socket has the whole chain.
  http2Server.on("session", (session) => {
    if (isRevoked(certificateOfSession(session))) connections.sessions.closeAfterFirstCall(session);
  });
  const address = await connections.listen({ host: options.host, port: options.port }, options.descriptor);

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
    reclassify: () => connections.sessions.reclassify(),
    renew({ credentials, revoked }) {
      checkTlsCredentials(credentials);
      replaceCertificates(http2Server, credentials);
      trust.replace(credentials.ca, revoked);
      connections.sessions.reclassify();
      calls.endOf(isRevoked, new TeleportError("UNAUTHENTICATED", REVOKED_MESSAGE));
      connections.sessions.expel((session) => isRevoked(certificateOfSession(session)));
    },
    setServing: (serving) => health.setServing(serving),
    shutdown,
    [Symbol.asyncDispose]: () => shutdown({ graceMs: 0 }),
  };
}

/** Returns the owner of a connection when the server has no function for it. */
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
