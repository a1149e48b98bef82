/** Identifies the caller by a certificate: the common name is the user, and each organization is a role, as in Kubernetes. */
import type { PeerCertificate } from "../../proto/service.ts";
import { UnauthenticatedError } from "../errors.ts";

/** The longest name that the certificate tool makes (RFC 5280, ub-common-name). */
const MAX_USER_CHARS = 64;

/** The most roles. A certificate with more is a mistake or an attack. */
const MAX_ROLES = 32;

/** A caller. */
export interface Identity {
  readonly user: string;
  readonly roles: readonly string[];
}

const known = new WeakMap<PeerCertificate, Identity>();

/**
 * Returns the caller that a verified certificate names.
 *
 * @throws {UnauthenticatedError} when there is no certificate, when it belongs to an authority, or when it names no user
 * that can be printed and compared
 */
export function identify(certificate: PeerCertificate | undefined): Identity {
  if (certificate === undefined) throw new UnauthenticatedError("No client certificate");
  let identity = known.get(certificate);
  if (identity === undefined) {
    identity = read(certificate);
    known.set(certificate, identity);
  }
  return identity;
}

function read(certificate: PeerCertificate): Identity {
  if (certificate.isAuthority) throw new UnauthenticatedError("The certificate is an authority's, not a user's");
  const [user, ...others] = certificate.commonNames;
  if (user === undefined || user.trim() === "" || others.length > 0) {
    throw new UnauthenticatedError("The certificate does not name exactly one user (common name)");
  }
  // With control, format, unassigned or line-breaking characters, one user could look like another in a log or list.
  if (/[\p{C}\p{Zl}\p{Zp}]/u.test(user) || user.length > MAX_USER_CHARS) {
    throw new UnauthenticatedError("The user's name in the certificate is too long or holds control characters");
  }
  const roles = [...new Set(certificate.organizations)];
  if (roles.length > MAX_ROLES) {
    throw new UnauthenticatedError(
      `The certificate names ${roles.length} roles (organizations), at most ${MAX_ROLES} are allowed`,
    );
  }
  return { user, roles };
}
