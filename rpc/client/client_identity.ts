/**
 * Finds faults of a client's own certificate. A server that does not accept it closes the connection without a reason.
 */
import type { Certificate } from "../../trust/certificate.ts";
import { verifyChain } from "../../trust/chain.ts";
import { CERTIFICATE_NOT_ACCEPTED, type Unreachable } from "../shared/unavailable.ts";

/** A fault of a client's own certificate. The message continues a text that begins with the server's address. */
export interface OwnCertificateFault extends Unreachable {
  /** True when every server refuses the certificate, whatever authorities it trusts. */
  readonly isCertain: boolean;
}

/**
 * Returns the fault of a client's own certificate. Undefined when it is valid.
 *
 * @param chain the client's certificates, its own first
 * @param authorities the authorities of the client's `ca.crt`, which the server usually trusts too
 */
export function clientCertificateFault(
  chain: readonly Certificate[],
  authorities: readonly Certificate[],
): OwnCertificateFault | undefined {
  const judged = verifyChain(chain, authorities, "client");
  if (judged.isTrusted) return undefined;
  const message = `${CERTIFICATE_NOT_ACCEPTED}: ${judged.reason}`;
  if (judged.fault === "ENDED" || judged.fault === "NOT_YET_VALID") {
    return { isCertain: true, reason: "CLIENT_CERTIFICATE_NOT_VALID_NOW", message };
  }
  const remedy = judged.fault === "UNKNOWN_AUTHORITY" ? MISSING_ISSUER : "";
  return { isCertain: false, reason: "CLIENT_CERTIFICATE_REFUSED", message: `${message}${remedy}` };
}

const MISSING_ISSUER = ": if it needs intermediate certificates, append them to the client's file";
