/** Why a server does not accept a client, as far as the client can tell: the server closes the connection and says nothing. */
import type { Certificate } from "../../trust/certificate.ts";
import { verifyChain } from "../../trust/chain.ts";
import { CERTIFICATE_NOT_ACCEPTED, type Unreachable } from "../shared/unavailable.ts";

/** What is wrong with a client's own certificate; the sentence is the rest of one that begins with the server's address. */
export interface OwnRefusal extends Unreachable {
  /** True when no server could accept it, whichever authorities that believes. */
  readonly isCertain: boolean;
}

/**
 * Judges a client's own certificate. Undefined when it is in order.
 *
 * @param authorities those of the client's `ca.crt`, which the server usually has too
 */
export function clientCertificateFault(
  chain: readonly Certificate[],
  authorities: readonly Certificate[],
): OwnRefusal | undefined {
  const judged = verifyChain(chain, authorities, "client");
  if (judged.isTrusted) return undefined;
  const sentence = `${CERTIFICATE_NOT_ACCEPTED}: ${judged.reason}`;
  if (judged.fault === "ENDED" || judged.fault === "NOT_YET_VALID") {
    return { isCertain: true, reason: "CLIENT_CERTIFICATE_NOT_VALID_NOW", sentence };
  }
  const remedy = judged.fault === "UNKNOWN_AUTHORITY" ? MISSING_ISSUER : "";
  return { isCertain: false, reason: "CLIENT_CERTIFICATE_REFUSED", sentence: `${sentence}${remedy}` };
}

const MISSING_ISSUER = ": if it needs intermediate certificates, append them to the client's file";
