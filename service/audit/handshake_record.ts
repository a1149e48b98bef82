/** Writes refused connections down. How many are written in full is decided by `audit/limited_audit.ts`. */
import type { PeerCertificate } from "../../proto/service.ts";
import { type Audit, holderOf } from "./audit.ts";

/** A connection that TLS refused. */
export interface RefusedConnection {
  readonly peer: string;
  readonly reason: string;
  readonly certificate?: PeerCertificate;
}

/** Makes what is called for each refused connection. */
export function handshakeRecord(audit: Audit) {
  return ({ peer, reason, certificate }: RefusedConnection): void => {
    const refused = { allowed: false, rule: reason, code: "UNAUTHENTICATED" };
    audit.record({ event: "handshake", ...holderOf(certificate), peer, ...refused });
  };
}
