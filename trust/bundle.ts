/** The form of a bundle: one TOML file with the address, the authority, the certificate and the key of a user. */

/** The contents of a bundle. */
export interface Bundle {
  /** HOST:PORT of the server. */
  readonly address: string;
  /** The name of the identity's files. */
  readonly identity: string;
  /** The certificates of the authorities, in PEM. */
  readonly authority: string;
  /** The user's certificate, then those of intermediate authorities, in PEM. */
  readonly certificate: string;
  /** The private key of the user's certificate, in PEM. */
  readonly key: string;
}

/** The version of the form. Another version may have other fields, or other meanings of them. */
export const BUNDLE_VERSION = 1;

/** The largest bundle, in bytes. 16 authorities and a chain of 8 certificates fit. */
export const MAX_BUNDLE_BYTES = 256 * 1024;

/** Formats a bundle. */
export function formatBundle({ address, identity, authority, certificate, key }: Bundle): string {
  return `# A teleport bundle: "teleport login FILE" sets up the client on another machine.
# It has a private key. Keep it secret, and delete it after the login.
version = ${BUNDLE_VERSION}
address = ${JSON.stringify(address)}
identity = ${JSON.stringify(identity)}
authority = ${pemString(authority)}
certificate = ${pemString(certificate)}
key = ${pemString(key)}
`;
}

/** Formats PEM blocks as a literal string of several lines, which has no escapes. */
function pemString(pem: string): string {
  return `'''\n${pem.trim()}\n'''`;
}
