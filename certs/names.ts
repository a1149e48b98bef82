/** The names of users and roles, which become file names and parts of a certificate subject. */
import { CertificateError } from "./errors.ts";

/** The longest CN and O (RFC 5280, appendix A.1: ub-common-name, ub-organization-name). */
const MAX_NAME_CHARS = 64;

/** The most roles. The certificate still fits well into one TLS record. */
const MAX_ROLES = 16;

/** Plain ASCII, so that a name looks the same everywhere and no two names look alike. */
const USER_FORM = /^[A-Za-z0-9_][A-Za-z0-9._@+-]*$/;
const ROLE_FORM = /^[A-Za-z0-9_][A-Za-z0-9._@:-]*$/;

/** The names of the files of the authority and the server. */
const RESERVED_USERS = ["ca", "server"];

/**
 * Checks the name of a user, which is also the name of the user's files.
 *
 * @throws {CertificateError} `INVALID_ARGUMENT` when it is not valid
 */
export function checkUser(user: string): string {
  checkForm("user name", user, USER_FORM, '"_", ".", "@", "+" or "-"');
  // On a file system that ignores case, "CA.key" is "ca.key".
  if (RESERVED_USERS.includes(user.toLowerCase())) {
    throw new CertificateError(
      "INVALID_ARGUMENT",
      `The user name must not be "ca" or "server", which are other files of the directory, got ${JSON.stringify(user)}`,
    );
  }
  return user;
}

/**
 * Checks the roles of a user, and removes duplicates.
 *
 * @throws {CertificateError} `INVALID_ARGUMENT` when one is not valid, or there are not 1 to 16
 */
export function checkRoles(roles: readonly string[]): string[] {
  for (const role of roles) checkForm("role", role, ROLE_FORM, '"_", ".", "@", ":" or "-"');
  const distinct = [...new Set(roles)];
  if (distinct.length === 0) {
    throw new CertificateError(
      "INVALID_ARGUMENT",
      'Cannot issue the certificate: it has no role; give one such as "admin", "operator" or "viewer"',
    );
  }
  if (distinct.length > MAX_ROLES) {
    throw new CertificateError(
      "INVALID_ARGUMENT",
      `A certificate can have at most ${MAX_ROLES} roles, got ${distinct.length}`,
    );
  }
  return distinct;
}

function checkForm(what: string, value: string, form: RegExp, marks: string): void {
  if (value.length <= MAX_NAME_CHARS && form.test(value)) return;
  // Cut, because a name can have megabytes.
  const shown = JSON.stringify(value.slice(0, MAX_NAME_CHARS + 1));
  throw new CertificateError(
    "INVALID_ARGUMENT",
    `The ${what} must have 1 to ${MAX_NAME_CHARS} ASCII letters, digits, ${marks}, ` +
      `and begin with a letter, digit or underscore, got ${shown}`,
  );
}
