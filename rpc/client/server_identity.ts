/** Whether a server is who a client asked for: its chain is judged, and its certificate must be for that host. */
import { isIP } from "node:net";
import { checkServerIdentity, type TLSSocket } from "node:tls";
import { type Certificate, readCertificate } from "../../trust/certificate.ts";
import { type ChainFault, verifyChain } from "../../trust/chain.ts";
import { shownBy } from "../shared/peer.ts";
import type { Unreachable, UnreachableReason } from "../shared/unavailable.ts";

/** The reason and the first words of each fault. */
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
  WRONG_USE: ["SERVER_CERTIFICATE_UNUSABLE", "its certificate is not one of a server"],
  NOT_JUDGED: ["SERVER_CERTIFICATE_UNUSABLE", "its certificate is not one that can be judged"],
};

/** What a person can do about each fault. */
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
 * Why the server of a connection is not believed; the sentence is the rest of one that begins with its address. Undefined
 * when it is believed.
 *
 * @param host the name or IP address that the client asked for
 */
export function serverCertificateFault(
  socket: TLSSocket,
  host: string,
  authorities: readonly Certificate[],
): Unreachable | undefined {
  const unusable = (sentence: string) => ({ reason: "SERVER_CERTIFICATE_UNUSABLE" as const, sentence });
  const chain = readShown(socket);
  if (chain === undefined) return unusable("its certificate is not one that can be read: check the address");
  const judged = verifyChain(chain, authorities, "server");
  if (!judged.isTrusted) {
    const [reason, summary] = SUMMARIES[judged.fault];
    return { reason, sentence: `${summary}: ${judged.reason}: ${REMEDIES[judged.fault]}` };
  }
  const asked = hostAsked(host);
  if (checkServerIdentity(asked, socket.getPeerCertificate()) !== undefined) {
    const names = chain[0]?.hosts.slice(0, 16).join(", ") || "no host at all";
    const sentence = `its certificate is not for "${asked}" but for ${names}: ` +
      "give an address it is for, or issue one that names this";
    return { reason: "SERVER_NAME_MISMATCH", sentence };
  }
  // What TLS refuses is refused, whatever is found here.
  return socket.authorized
    ? undefined
    : unusable(`its certificate is not accepted by TLS: ${socket.authorizationError}`);
}

/** A host as certificates name it: an IPv6 address without its zone, a name without its last dot. */
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
