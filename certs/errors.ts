/** The errors of the certificate tool: one class, told apart by a stable code. */

/**
 * Why something about certificates was refused.
 *
 * - `INVALID_ARGUMENT`: a name, role, host or number of days that cannot be
 * - `ALREADY_EXISTS`: the work would overwrite files that are there
 * - `MISSING`: a file that is needed is not there
 * - `UNUSABLE`: a file is there but does not serve: damaged, expired, not an authority, another key's
 * - `NOT_ACCESSIBLE`: the system refused to read or write
 */
export type CertificateErrorCode = "INVALID_ARGUMENT" | "ALREADY_EXISTS" | "MISSING" | "UNUSABLE" | "NOT_ACCESSIBLE";

/** What else is known of an error, for code that acts on it. */
export interface CertificateErrorOptions extends ErrorOptions {
  /** The file that the error is about. */
  readonly path?: string;
  /** True when an authority or certificate is unusable only because its time is over. */
  readonly isEnded?: boolean;
}

/** What everything in `certs/` throws on purpose. The message says what is wrong and what to do. */
export class CertificateError extends Error {
  /** Which kind of error this is; stable across versions. */
  readonly code: CertificateErrorCode;
  /** The file that the error is about. Absent when it is about none, or about several. */
  readonly path?: string;
  /** True when an authority or certificate is unusable only because its time is over. */
  readonly isEnded: boolean;

  constructor(code: CertificateErrorCode, message: string, options: CertificateErrorOptions = {}) {
    super(message, options);
    this.code = code;
    if (options.path !== undefined) this.path = options.path;
    this.isEnded = options.isEnded ?? false;
    this.name = new.target.name;
  }
}
