/** Why a server cannot be reached: grpc-js says it in words of Node and of TLS, a person needs to know what to do. */
import { type Address, formatAddress } from "./address.ts";

/** What grpc-js wraps the last error of a connection in; of several addresses it tells the last. */
const LAST_ERROR = /^No connection established\. Last error: (.*)\. Resolution note: .*$/s;

/** What a client can do whose certificate the server does not accept. */
export const CERTIFICATE_NOT_ACCEPTED =
  "it does not accept this client's certificate: give one that its CA has signed for a client and that is valid";

/**
 * Why a server cannot be reached, for programs. LOST: the connection had been made, so the server may have had the call.
 */
export type UnreachableReason =
  | "REFUSED"
  | "NAME_UNKNOWN"
  | "NO_ROUTE"
  | "NETWORK_NOT_ALLOWED"
  | "SERVER_NAME_MISMATCH"
  | "SERVER_CERTIFICATE_EXPIRED"
  | "SERVER_CERTIFICATE_NOT_YET_VALID"
  | "SERVER_CERTIFICATE_UNTRUSTED"
  | "SERVER_CERTIFICATE_UNUSABLE"
  | "CLIENT_CERTIFICATE_REFUSED"
  | "CLIENT_CERTIFICATE_NOT_VALID_NOW"
  | "NOT_TELEPORT"
  | "CLOSED_IN_HANDSHAKE"
  | "LOST"
  | "LOST_OR_REFUSED"
  | "BUSY"
  | "TIMEOUT"
  | "UNKNOWN";

/** True for the reasons of which one is that the server does not accept this client's certificate. */
export function mayBeCertificateRefusal(reason: UnreachableReason | undefined): boolean {
  return reason === "LOST_OR_REFUSED" || reason === "CLIENT_CERTIFICATE_REFUSED";
}

/** Why the server cannot be reached, as a code and as a sentence. */
export interface Unreachable {
  readonly reason: UnreachableReason;
  readonly sentence: string;
}

/**
 * The first that matches is what it was; each says what is wrong and what to do, given the host.
 */
const CAUSES: readonly [RegExp, UnreachableReason, (host: string) => string][] = [
  [/ECONNREFUSED/, "REFUSED", () => "nothing listens there: start the server, or give the address it listens on"],
  [
    /^Name resolution failed|ENOTFOUND|EAI_AGAIN/,
    "NAME_UNKNOWN",
    (host) => `the name "${host}" has no address: check its spelling`,
  ],
  [/EHOSTUNREACH|ENETUNREACH|ETIMEDOUT/, "NO_ROUTE", () => "no route to host: check the address and the network"],
  [
    /NotCapable|PermissionDenied|Requires net access/,
    "NETWORK_NOT_ALLOWED",
    () => "this program may not use the network: allow it that address",
  ],
  [
    /alert.*(certificate|unknown ca|access denied)|(Certificate|UnknownCA|AccessDenied)\w*$|^Failed to connect/i,
    "CLIENT_CERTIFICATE_REFUSED",
    () => CERTIFICATE_NOT_ACCEPTED,
  ],
  [
    /InvalidContentType|wrong version|NoApplicationProtocol|ProtocolVersion|protocol version/i,
    "NOT_TELEPORT",
    () => "what answers there is no teleport server: check the address",
  ],
  [
    // A forwarder whose server is away does so, and a server that dies at this moment.
    /disconnected before secure/i,
    "CLOSED_IN_HANDSHAKE",
    () => "the connection was closed before it was made: try again, and if that does not help, check the address",
  ],
  [
    /ECONNRESET|EPIPE|triggered by internal client error|Connection dropped|Connection closed|Socket closed/,
    "LOST",
    () => "the connection was lost: try again",
  ],
  [/^Stream refused by server/, "BUSY", () => "it takes no more calls on this connection: try again"],
];

/**
 * Explains a call that ended with UNAVAILABLE.
 *
 * @param details What grpc-js says of it, or what the server itself has said
 * @returns undefined for a sentence of the server's own, which stays as it is
 */
export function explainUnavailable(details: string, address: Address): Unreachable | undefined {
  const wrapped = LAST_ERROR.exec(details)?.[1];
  const known = CAUSES.find(([pattern]) => pattern.test(wrapped ?? details));
  if (known === undefined && wrapped === undefined) return undefined;
  const [, reason, what] = known ?? [undefined, "UNKNOWN", () => wrapped ?? details] as const;
  const reached = (reason: UnreachableReason, why: string): Unreachable => ({
    reason,
    sentence: `Cannot reach the server at "${formatAddress(address)}": ${why}`,
  });
  if (reason === "LOST" && wrapped !== undefined) {
    // To a client of TLS 1.3 the handshake is over when the server has yet to look at its certificate; whether it then
    // sees more than the end of the connection is a race.
    return reached("LOST_OR_REFUSED", `${what(address.host)}, and if that does not help, ${CERTIFICATE_NOT_ACCEPTED}`);
  }
  return reached(reason, what(address.host));
}

/** Explains a call that ended with its connection, for no reason that anything knows of. */
export function explainLost(address: Address): Unreachable {
  return {
    reason: "LOST",
    sentence: `Cannot reach the server at "${formatAddress(address)}": the connection was lost: try again`,
  };
}

/** Explains a server that takes longer than this to answer the first call. */
export function explainTimeout(timeoutMs: number, address: Address): Unreachable {
  return {
    reason: "TIMEOUT",
    sentence: `Cannot reach the server at "${formatAddress(address)}": no answer in ${timeoutMs} ms: ` +
      "check the address and the network",
  };
}
