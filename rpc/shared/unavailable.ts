/** Explains why a server cannot be reached. grpc-js passes on texts of Node and TLS, which do not say what to do. */
import { type Address, formatAddress } from "./address.ts";

/** The text in which grpc-js reports the error of the last address it tried. */
const LAST_ERROR = /^No connection established\. Last error: (.*)\. Resolution note: .*$/s;

/** The explanation when the server does not accept the client's certificate. */
export const CERTIFICATE_NOT_ACCEPTED =
  "it does not accept this client's certificate: give one that its CA has signed for a client and that is valid";

/**
 * Why a server cannot be reached, for programs. LOST: the connection had been made, so the server may have got the
 * call.
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

/** Returns whether the server may have refused this client's certificate. */
export function mayBeCertificateRefusal(reason: UnreachableReason | undefined): boolean {
  return reason === "LOST_OR_REFUSED" || reason === "CLIENT_CERTIFICATE_REFUSED";
}

/** Why the server cannot be reached, as a code and as a text. */
export interface Unreachable {
  readonly reason: UnreachableReason;
  readonly message: string;
}

/**
 * The known errors. The first match decides; each text says what is wrong and what to do.
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
    () => "the program that answers is not a teleport server: check the address",
  ],
  [
    // A forwarder without its server does this, and a server that ends at this moment.
    /disconnected before secure/i,
    "CLOSED_IN_HANDSHAKE",
    () => "the connection was closed during the handshake: try again, and if that does not help, check the address",
  ],
  [
    /ECONNRESET|EPIPE|^Write error|triggered by internal client error|Connection dropped|Connection closed|Socket closed/,
    "LOST",
    () => "the connection was lost: try again",
  ],
  [/^Stream refused by server/, "BUSY", () => "it accepts no further calls on this connection: try again"],
];

/**
 * Explains a call that ended with UNAVAILABLE.
 *
 * @param details the text of grpc-js or of the server
 * @returns Undefined for a text of the server, which needs no explanation
 */
export function explainUnavailable(details: string, address: Address): Unreachable | undefined {
  const wrapped = LAST_ERROR.exec(details)?.[1];
  const known = CAUSES.find(([pattern]) => pattern.test(wrapped ?? details));
  if (known === undefined && wrapped === undefined) return undefined;
  const [, reason, what] = known ?? [undefined, "UNKNOWN", () => wrapped ?? details] as const;
  const reached = (reason: UnreachableReason, why: string): Unreachable => ({
    reason,
    message: `Cannot reach the server at "${formatAddress(address)}": ${why}`,
  });
  if (reason === "LOST" && wrapped !== undefined) {
    // A TLS 1.3 client completes the handshake before the server checks its certificate. If the server refuses it, the
    // client may see only the end of the connection. A server that stops at this moment looks the same.
    const why = "the connection was lost before an answer, as when the server stops or starts: try again";
    return reached("LOST_OR_REFUSED", `${why}. If that does not help, ${CERTIFICATE_NOT_ACCEPTED}`);
  }
  return reached(reason, what(address.host));
}

/** Explains a call that ended with its connection, without a known reason. */
export function explainLost(address: Address): Unreachable {
  return {
    reason: "LOST",
    message: `Cannot reach the server at "${formatAddress(address)}": the connection was lost: try again`,
  };
}

/** Explains a server that does not answer in time. */
export function explainTimeout(timeoutMs: number, address: Address): Unreachable {
  return {
    reason: "TIMEOUT",
    message: `Cannot reach the server at "${formatAddress(address)}": no answer in ${timeoutMs} ms: ` +
      "check the address and the network",
  };
}
