/** What a command has made, for the one who has to tell the user. */
import type { Usage } from "./certificate.ts";

/** A certificate and key that were written. */
export interface IssuedCertificate {
  readonly usage: Usage;
  /** `ca`, `server` or the user. */
  readonly name: string;
  readonly certificatePath: string;
  /** Absent when the key is elsewhere: the certificate was made from a request. */
  readonly keyPath?: string;
  /** Names and addresses it covers; a server's. */
  readonly hosts: readonly string[];
  /** What its user may do; a client's. */
  readonly roles: readonly string[];
  /** The end of its validity. */
  readonly notAfter: Date;
}
