/** Records connections that TLS refused. `limited_audit.ts` limits the number of entries. */
import type { PeerCertificate } from "../../proto/service.ts";
import { type Audit, holderOf } from "./audit.ts";

/** A connection that TLS refused. */
export interface RefusedConnection {
  readonly peer: string;
  readonly reason: string;
  readonly certificate?: PeerCertificate;
}

/** Returns the callback for refused connections. */
export function auditHandshakes(audit: Audit) {
  return ({ peer, reason, certificate }: RefusedConnection): void => {
    const refused = { allowed: false, rule: reason, code: "UNAUTHENTICATED" };
    audit.record({ event: "handshake", ...holderOf(certificate), peer, ...refused });
  };
}
