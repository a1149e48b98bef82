/** The owner of a connection, for the limits of connections. */
import type { PeerCertificate } from "../../proto/service.ts";
import { UnauthenticatedError } from "../errors.ts";
import { identify } from "./identity.ts";
import { hasRole, type Policy } from "./policy.ts";

/** The owner of a connection. */
export interface ConnectionOwner {
  /** The name for the limit that connections of one user share. A certificate without a user has a name of its own. */
  readonly user: string;
  /** True for a user who may do more than ask for health. */
  readonly isMember: boolean;
}

/** Returns the owner of a connection with a verified certificate. Never throws. */
export function ownerOf(policy: Policy, certificate: PeerCertificate): ConnectionOwner {
  try {
    const identity = identify(certificate);
    return { user: identity.user, isMember: hasRole(policy, identity) };
  } catch (error) {
    if (!(error instanceof UnauthenticatedError)) throw error;
    return { user: certificate.fingerprint, isMember: false };
  }
}
