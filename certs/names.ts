/** Which names a user and a role may have: they become file names and parts of a certificate's subject. */
import { CertificateError } from "./errors.ts";

/** Upper bound of a common name and of an organization in RFC 5280, appendix A.1 (ub-common-name, ub-organization-name). */
const MAX_NAME_CHARS = 64;

/** More roles than any user needs, and few enough that a certificate stays well below a TLS record. */
const MAX_ROLES = 16;

/** Plain ASCII, so that a name looks the same in a log, in a file listing and in a certificate, and no two look alike. */
const USER_FORM = /^[A-Za-z0-9_][A-Za-z0-9._@+-]*$/;
const ROLE_FORM = /^[A-Za-z0-9_][A-Za-z0-9._@:-]*$/;

/** Their files are the authority's and the server's. */
const RESERVED_USERS = ["ca", "server"];

/**
 * Checks the name of a user, which is also the name of the user's files.
 *
 * @throws {CertificateError} `INVALID_ARGUMENT` when it cannot be one.
 */
export function checkUser(user: string): string {
  checkForm("user name", user, USER_FORM, '"_", ".", "@", "+" or "-"');
  // A file system that ignores case would take "CA.key" for "ca.key".
  if (RESERVED_USERS.includes(user.toLowerCase())) {
    throw new CertificateError(
      "INVALID_ARGUMENT",
      `Invalid user name ${JSON.stringify(user)}: "ca" and "server" name other files of the directory, choose another`,
    );
  }
  return user;
}

/**
 * Checks the roles of a user and drops repeated ones. At least one is wanted: without a role nothing is allowed.
 *
 * @throws {CertificateError} `INVALID_ARGUMENT` when one cannot be, or when there are none or more than 16.
 */
export function checkRoles(roles: readonly string[]): string[] {
  for (const role of roles) checkForm("role", role, ROLE_FORM, '"_", ".", "@", ":" or "-"');
  const distinct = [...new Set(roles)];
  if (distinct.length === 0) {
    throw new CertificateError(
      "INVALID_ARGUMENT",
      'A client needs a role: give one such as "admin", "operator" or "viewer"',
    );
  }
  if (distinct.length > MAX_ROLES) {
    throw new CertificateError(
      "INVALID_ARGUMENT",
      `Too many roles, "${distinct.length}": give at most ${MAX_ROLES}`,
    );
  }
  return distinct;
}

function checkForm(what: string, value: string, form: RegExp, marks: string): void {
  if (value.length <= MAX_NAME_CHARS && form.test(value)) return;
  // Cut, so that a name of megabytes does not become a message of megabytes.
  const shown = JSON.stringify(value.slice(0, MAX_NAME_CHARS + 1));
  throw new CertificateError(
    "INVALID_ARGUMENT",
    `Invalid ${what} ${shown}: give 1 to ${MAX_NAME_CHARS} characters, each a letter or digit of ASCII, ${marks}, ` +
      "the first a letter, a digit or an underscore",
  );
}
