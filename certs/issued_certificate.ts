/** The result of a command that issues certificates. */
import type { Usage } from "./certificate.ts";

/** A certificate that was written. */
export interface IssuedCertificate {
  readonly usage: Usage;
  /** The name of the files: `ca`, `server` or the user. */
  readonly name: string;
  readonly certificatePath: string;
  /** The path of the key. Absent when the certificate was issued for a request. */
  readonly keyPath?: string;
  /** The hosts of a server. */
  readonly hosts: readonly string[];
  /** The roles of a user. */
  readonly roles: readonly string[];
  /** The end of its validity. */
  readonly notAfter: Date;
}
