/** What a certificate stands for in the limits of connections: a user, with or without a role. */
import type { PeerCertificate } from "../../proto/service.ts";
import { UnauthenticatedError } from "../errors.ts";
import { identify } from "./identity.ts";
import { hasRole, type Policy } from "./policy.ts";

/** The owner of a connection. */
export interface Standing {
  /** Connections of one user share a limit. A certificate that names no user is a user of its own. */
  readonly user: string;
  /** True for users who may do more than ask for health. */
  readonly isMember: boolean;
}

/** Returns what a verified certificate stands for. Never throws. */
export function standingOf(policy: Policy, certificate: PeerCertificate): Standing {
  try {
    const identity = identify(certificate);
    return { user: identity.user, isMember: hasRole(policy, identity) };
  } catch (error) {
    if (!(error instanceof UnauthenticatedError)) throw error;
    return { user: certificate.fingerprint, isMember: false };
  }
}
