/** Checks that a server is the one a client asked for: its chain is judged, and its certificate must name the host. */
import { isIP } from "node:net";
import { checkServerIdentity, type TLSSocket } from "node:tls";
import { type Certificate, readCertificate } from "../../trust/certificate.ts";
import { verifyChain } from "../../trust/chain.ts";
import type { ChainFault } from "../../trust/chain_faults.ts";
import { shownBy } from "../shared/peer.ts";
import type { Unreachable, UnreachableReason } from "../shared/unavailable.ts";

/** The reason and the summary of each fault. */
const SUMMARIES: Readonly<Record<ChainFault, readonly [UnreachableReason, string]>> = {
  ENDED: ["SERVER_CERTIFICATE_EXPIRED", "its certificate has expired"],
  NOT_YET_VALID: ["SERVER_CERTIFICATE_NOT_YET_VALID", "its certificate is not valid yet"],
  UNKNOWN_AUTHORITY: [
    "SERVER_CERTIFICATE_UNTRUSTED",
    "its certificate is not valid under the CA that this client trusts",
  ],
  BAD_SIGNATURE: ["SERVER_CERTIFICATE_UNTRUSTED", "its certificate is not valid under the CA that this client trusts"],
  NOT_AUTHORITY: ["SERVER_CERTIFICATE_UNTRUSTED", "its certificate is not valid under the CA that this client trusts"],
  PATH_TOO_LONG: ["SERVER_CERTIFICATE_UNTRUSTED", "its certificate is not valid under the CA that this client trusts"],
  WRONG_USE: ["SERVER_CERTIFICATE_UNUSABLE", "its certificate is not for a server"],
  NOT_JUDGED: ["SERVER_CERTIFICATE_UNUSABLE", "its certificate cannot be judged"],
};

/** The remedy of each fault. */
const REMEDIES: Readonly<Record<ChainFault, string>> = {
  ENDED: "renew it at the server",
  NOT_YET_VALID: "check the clocks of both machines",
  UNKNOWN_AUTHORITY: 'use the "ca.crt" of that server',
  BAD_SIGNATURE: 'use the "ca.crt" of that server',
  NOT_AUTHORITY: "have a certificate made by an authority",
  PATH_TOO_LONG: "have a certificate made by an authority",
  WRONG_USE: 'make one with "certs server"',
  NOT_JUDGED: 'make one with "certs server"',
};

/**
 * Returns why the server of a connection is not trusted. Undefined when it is trusted. The message continues a text
 * that begins with the server's address.
 *
 * @param host the name or IP address that the client asked for
 * @param authorities the trusted authorities
 */
export function serverCertificateFault(
  socket: TLSSocket,
  host: string,
  authorities: readonly Certificate[],
): Unreachable | undefined {
  const unusable = (message: string) => ({ reason: "SERVER_CERTIFICATE_UNUSABLE" as const, message });
  const chain = readShown(socket);
  if (chain === undefined) return unusable("its certificate cannot be read: check the address");
  const judged = verifyChain(chain, authorities, "server");
  if (!judged.isTrusted) {
    const [reason, summary] = SUMMARIES[judged.fault];
    return { reason, message: `${summary}: ${judged.reason}: ${REMEDIES[judged.fault]}` };
  }
  const asked = hostAsked(host);
  if (checkServerIdentity(asked, socket.getPeerCertificate()) !== undefined) {
    const names = chain[0]?.hosts.slice(0, 16).join(", ") || "no host at all";
    const message = `its certificate is not for "${asked}" but for ${names}: ` +
      "give an address that it names, or issue one that names this address";
    return { reason: "SERVER_NAME_MISMATCH", message };
  }
  // A connection that TLS refuses is refused, whatever the checks above found.
  return socket.authorized
    ? undefined
    : unusable(`its certificate is not accepted by TLS: ${socket.authorizationError}`);
}

/** Returns a host in the form of certificates: an IPv6 address without its zone, a name without its final dot. */
export function hostAsked(host: string): string {
  return isIP(host) === 6 ? host.replace(/%.*$/s, "") : host.replace(/\.$/, "");
}

function readShown(socket: TLSSocket): Certificate[] | undefined {
  try {
    const shown = shownBy(socket).map((der) => readCertificate(new Uint8Array(der)));
    return shown.length === 0 ? undefined : shown;
  } catch {
    return undefined;
  }
}
