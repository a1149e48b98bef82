/** The error class of the certificate tool, with stable codes. */

/**
 * The reason of an error.
 *
 * - `INVALID_ARGUMENT`: a name, role, host, number of days or option is not valid
 * - `ALREADY_EXISTS`: existing files would be replaced
 * - `MISSING`: a required file does not exist
 * - `UNUSABLE`: a file is damaged, has ended, is not an authority, or belongs to another key
 * - `NOT_ACCESSIBLE`: the system refused to read or write
 */
export type CertificateErrorCode = "INVALID_ARGUMENT" | "ALREADY_EXISTS" | "MISSING" | "UNUSABLE" | "NOT_ACCESSIBLE";

/** Options of an error. */
export interface CertificateErrorOptions extends ErrorOptions {
  /** The path of the file. */
  readonly path?: string;
  /** True when the authority or certificate is unusable only because it has ended. */
  readonly isEnded?: boolean;
}

/** The error that all of `certs/` throws. The message says what is wrong and what to do. */
export class CertificateError extends Error {
  /** The reason; stable across versions. */
  readonly code: CertificateErrorCode;
  /** The path of the file. Absent when the error concerns no file, or several. */
  readonly path?: string;
  /** True when the authority or certificate is unusable only because it has ended. */
  readonly isEnded: boolean;

  constructor(code: CertificateErrorCode, message: string, options: CertificateErrorOptions = {}) {
    super(message, options);
    this.code = code;
    if (options.path !== undefined) this.path = options.path;
    this.isEnded = options.isEnded ?? false;
    this.name = new.target.name;
  }
}
