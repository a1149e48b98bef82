/** The certificate of the peer of a call or session, and the address of the peer of a call. */
import type { ServerInterceptingCallInterface } from "@grpc/grpc-js";
import type { ServerHttp2Session } from "node:http2";
import type { TLSSocket } from "node:tls";
import type { PeerCertificate } from "../../proto/service.ts";
import { sessionOf } from "../compat/grpc_call.ts";
import { readCertificate, shownBy } from "../shared/peer.ts";

/** The certificate of each session. It is read once, however many calls the session has. */
const certificates = new WeakMap<object, PeerCertificate>();

/** Returns the caller's address and port. grpc-js omits the brackets of an IPv6 address. */
export function peerOf(call: Pick<ServerInterceptingCallInterface, "getPeer">): string {
  return call.getPeer().replace(/^(.*:.*):(\d+)$/, "[$1]:$2");
}

/**
 * Returns the certificate of the connection of a call. Undefined when TLS has not verified one.
 *
 * Where the session is not found, the certificate is read again for each call, which is slower.
 */
export function certificateOf(
  call: Pick<ServerInterceptingCallInterface, "getAuthContext">,
): PeerCertificate | undefined {
  const session = sessionOf(call);
  const known = session && certificates.get(session);
  if (known) return known;
  const der = call.getAuthContext().sslPeerCertificate?.raw;
  if (!der) return undefined;
  const certificate = readCertificate(der);
  if (session) certificates.set(session, certificate);
  return certificate;
}

/** Returns the certificate of an HTTP/2 session. Undefined when TLS has not verified one. */
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
