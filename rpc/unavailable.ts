/** Why a server cannot be reached: grpc-js says it in words of Node and of TLS, a person needs to know what to do. */
import { type Address, formatAddress } from "./address.ts";

/** What grpc-js wraps the last error of a connection in; of several addresses it tells the last. */
const LAST_ERROR = /^No connection established\. Last error: (.*)\. Resolution note: .*$/s;

const NOT_ACCEPTED =
  "it does not accept this client's certificate: give one that its CA has signed for a client and that is valid";

/**
 * The first that matches is what it was; each says what is wrong and what to do, given the host and whether the connection
 * had been made.
 */
const CAUSES: readonly [RegExp, (host: string, established: boolean) => string][] = [
  [/ECONNREFUSED/, () => "nothing listens there: start the server, or give the address it listens on"],
  [/^Name resolution failed|ENOTFOUND|EAI_AGAIN/, (host) => `the name "${host}" has no address: check its spelling`],
  [/EHOSTUNREACH|ENETUNREACH|ETIMEDOUT/, () => "no way leads there: check the address and the network"],
  [
    /NotCapable|PermissionDenied|Requires net access/,
    () => "this program may not use the network: allow it that address",
  ],
  [
    /ERR_TLS_CERT_ALTNAME_INVALID|NotValidForName/,
    (host) => `its certificate is not for "${host}": give an address it is for, or issue one that names this`,
  ],
  [/has expired|CERT_HAS_EXPIRED/, () => "its certificate has expired: renew it"],
  [/not yet valid/, () => "its certificate is not valid yet: check the clocks of both machines"],
  [
    /self-signed|self signed|unable to (get|verify)|UnknownIssuer|unknown issuer|BadSignature|invalid peer certificate/i,
    // Deno mostly says this of an expired certificate too.
    () =>
      "its certificate is not valid under the CA that this client trusts: use the CA certificate of that server, or " +
      "renew a certificate that has expired",
  ],
  [
    /alert.*(certificate|unknown ca|access denied)|(Certificate|UnknownCA|AccessDenied)\w*$|^Failed to connect/i,
    () => NOT_ACCEPTED,
  ],
  [
    /InvalidContentType|wrong version|NoApplicationProtocol|ProtocolVersion|protocol version/i,
    () => "what answers there is no teleport server: check the address",
  ],
  [
    // A forwarder whose server is away does so, and a server that dies at this moment.
    /disconnected before secure/i,
    () => "the connection was closed before it was made: try again, and if that does not help, check the address",
  ],
  [
    /ECONNRESET|EPIPE|Connection dropped|Connection closed|Socket closed/,
    // To a client of TLS 1.3 the handshake is over when the server has yet to look at its certificate; whether it then
    // sees more than the end of the connection is a race.
    (_host, established) =>
      `the connection was lost: try again${established ? "" : `, and if that does not help, ${NOT_ACCEPTED}`}`,
  ],
  [/^Stream refused by server/, () => "it takes no more calls on this connection: try again"],
];

/**
 * A sentence for a call that ended with UNAVAILABLE.
 *
 * @param details What grpc-js says of it, or what the server itself has said, which stays as it is
 */
export function explainUnavailable(details: string, address: Address): string {
  const wrapped = LAST_ERROR.exec(details)?.[1];
  const known = CAUSES.find(([pattern]) => pattern.test(wrapped ?? details))?.[1](
    address.host,
    wrapped === undefined,
  );
  if (known === undefined && wrapped === undefined) return details;
  return `Cannot reach the server at "${formatAddress(address)}": ${known ?? wrapped}`;
}

/** A sentence for a server that takes longer than this to answer the first call. */
export function explainTimeout(timeoutMs: number, address: Address): string {
  return `Cannot reach the server at "${
    formatAddress(address)
  }": no answer in ${timeoutMs} ms: check the address and ` +
    "the network";
}
