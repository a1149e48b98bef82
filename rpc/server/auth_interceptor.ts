/** What every call of every service passes before its handler: the caller's certificate and the server's admission. */
import * as grpc from "@grpc/grpc-js";
import http2, { type ServerHttp2Session } from "node:http2";
import { setImmediate } from "node:timers";
import type { TLSSocket } from "node:tls";
import type { CallContext, PeerCertificate } from "../../proto/service.ts";
import { TeleportError } from "../../mod.ts";
import { streamOf } from "../compat/grpc_call.ts";
import { readCertificate, shownBy } from "../shared/peer.ts";
import { type InternalErrorReport, toServiceError } from "./status_error.ts";
import type { CallLimits } from "./limits/call_limits.ts";
import type { CallOutcome } from "./limits/refused_calls.ts";
import type { Trust } from "./trust.ts";

/** Lets a call in by returning, refuses it by throwing a TeleportError. */
export type Admit = (context: CallContext) => void;

// Admission is over before a call can be, so nothing is ever aborted through it.
const { signal } = new AbortController();

// By connection: a certificate is read once, however many calls come over it.
const certificates = new WeakMap<object, PeerCertificate>();

type Call = Pick<grpc.ServerInterceptingCallInterface, "getAuthContext">;

/** What decides, and who is told. */
export interface AuthInterceptorOptions {
  readonly admit: Admit;
  readonly trust: Trust;
  /** Told of a call whose certificate is accepted no more; of what admit() refuses, that knows. */
  readonly onRefused: (context: CallContext, error: unknown) => void;
  readonly report: InternalErrorReport;
  readonly limits: CallLimits;
  /** Why no call of a session is let in. */
  readonly refusalOf: (session: object) => Error | undefined;
  /** Receives what became of each call, by its stream. */
  readonly judge: (stream: object | undefined, verdict: CallOutcome) => void;
}

/** An interceptor that stops calls before any handler sees them. */
export function authInterceptor(
  { admit, trust, onRefused, report, limits, refusalOf, judge }: AuthInterceptorOptions,
): grpc.ServerInterceptor {
  return (method, call) => {
    let certificate: PeerCertificate | undefined;
    let verdict: CallOutcome = "REFUSED";
    try {
      certificate = certificateOf(call);
      // TLS has let nobody in without one; that TLS is set up right is not for a single place to know.
      if (!certificate) {
        throw new TeleportError(
          "UNAUTHENTICATED",
          "No accepted certificate: give one that this server's CA has signed",
        );
      }
      try {
        trust.check(certificate);
      } catch (error) {
        onRefused({ signal, method: method.path, peer: peerOf(call), certificate }, error);
        throw error;
      }
      const session = connectionOf(call);
      const refused = session && refusalOf(session);
      if (refused) throw refused;
      admit({ signal, method: method.path, peer: peerOf(call), certificate });
      verdict = "LIMITED";
      limits.admit(call, method, certificate);
      judge(streamOf(call), "ADMITTED");
    } catch (error) {
      judge(streamOf(call), verdict);
      const { code, details, metadata } = toServiceError(error, method.path, report);
      call.sendStatus({ code, details, metadata });
      endRequest(call);
      // Never started, so that no handler learns of it.
      return new grpc.ServerInterceptingCall(call, { start: () => {} });
    }
    // As it is, for a wrapper around an admitted call would cost each of its messages something and do nothing.
    return call as grpc.ServerInterceptingCall;
  };
}

/**
 * Closes the stream of a refused call that is still open after what has arrived was read. No account has it, so a client
 * whose requests never end would hold any number: 25 KB each. Servers do so by RFC 9113, section 8.1.
 */
function endRequest(call: object): void {
  const stream = streamOf(call);
  setImmediate(() => {
    if (stream !== undefined && !stream.destroyed) stream.close(http2.constants.NGHTTP2_NO_ERROR);
  });
}

/** The caller's address and port, an IPv6 address in brackets, which grpc-js leaves out. */
export function peerOf(call: Pick<grpc.ServerInterceptingCallInterface, "getPeer">): string {
  return call.getPeer().replace(/^(.*:.*):(\d+)$/, "[$1]:$2");
}

/** The certificate of the connection a call came over; undefined when TLS has not verified one. */
export function certificateOf(call: Call): PeerCertificate | undefined {
  const connection = connectionOf(call);
  const known = connection && certificates.get(connection);
  if (known) return known;
  const der = call.getAuthContext().sslPeerCertificate?.raw;
  if (!der) return undefined;
  const certificate = readCertificate(der);
  if (connection) certificates.set(connection, certificate);
  return certificate;
}

/** The certificate of an HTTP/2 session; undefined when TLS has not verified one. */
export function certificateOfSession(session: ServerHttp2Session): PeerCertificate | undefined {
  const known = certificates.get(session);
  if (known) return known;
  const socket = session.socket as TLSSocket | undefined;
  const [der, ...others] = socket?.getPeerCertificate === undefined ? [] : shownBy(socket);
  if (der === undefined) return undefined;
  const certificate = readCertificate(der, others);
  certificates.set(session, certificate);
  return certificate;
}

/**
 * The HTTP/2 session of a call, from fields that grpc-js keeps to itself: a call as an interceptor sees it has the
 * stream, one as a handler sees it has the former. Without them a certificate is read once a call, which is just slower.
 */
function connectionOf(call: object): object | undefined {
  const inner = call as { call?: object; stream?: { session?: object } };
  return inner.stream ? inner.stream.session : inner.call && connectionOf(inner.call);
}
