/** Writes refused connections down, but lets no stranger fill the record: a few a second, the others counted. */
import type { PeerCertificate } from "../proto/service.ts";
import { type Audit, holderOf } from "./audit.ts";

/** So many at once, as of a misconfigured crowd, are written down each. */
const BURST = 50;

/** Further ones, a second. At 400 bytes each a day of them is 350 MB; what they would push out is worth more. */
const A_SECOND = 10;

/** A connection that TLS refused. */
export interface RefusedConnection {
  readonly peer: string;
  readonly reason: string;
  readonly certificate?: PeerCertificate;
}

/** Makes what is to be told of refused connections. */
export function handshakeRecord(audit: Audit, nowMs: () => number = () => performance.now()) {
  let tokens = BURST;
  let atMs = nowMs();
  let suppressed = 0;
  return ({ peer, reason, certificate }: RefusedConnection): void => {
    const now = nowMs();
    tokens = Math.min(BURST, tokens + (now - atMs) / 1_000 * A_SECOND);
    atMs = now;
    if (tokens < 1) {
      suppressed += 1;
      return;
    }
    tokens -= 1;
    const text = suppressed === 0 ? {} : { text: `${suppressed} more since the line before are not written down` };
    suppressed = 0;
    const refused = { allowed: false, rule: reason, code: "UNAUTHENTICATED" };
    audit.record({ event: "handshake", ...holderOf(certificate), peer, ...refused, ...text });
  };
}
