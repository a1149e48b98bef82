/** Where the certificates are unless told otherwise. */
import { CertificateError } from "./errors.ts";

/** The variables that decide, as the environment has them. */
export interface LocationVariables {
  readonly TELEPORT_CERTS?: string | undefined;
  readonly XDG_CONFIG_HOME?: string | undefined;
  readonly HOME?: string | undefined;
}

/**
 * The directory of certificates of this user: `TELEPORT_CERTS`, else `teleport` in the user's configuration directory
 * as the XDG Base Directory Specification finds it. An empty variable counts as none, and so does a relative
 * `XDG_CONFIG_HOME`, as that specification asks.
 *
 * @throws {CertificateError} `INVALID_ARGUMENT` when no variable decides.
 */
export function defaultDirectory(variables: LocationVariables): string {
  const { TELEPORT_CERTS, XDG_CONFIG_HOME, HOME } = variables;
  if (TELEPORT_CERTS) return TELEPORT_CERTS;
  if (XDG_CONFIG_HOME?.startsWith("/")) return `${XDG_CONFIG_HOME}/teleport`;
  if (HOME) return `${HOME}/.config/teleport`;
  throw new CertificateError(
    "INVALID_ARGUMENT",
    "No directory for certificates: give one, or set TELEPORT_CERTS or HOME",
  );
}
