/** The error of a server that cannot start. */
import { CertificateError } from "../certs/errors.ts";
import { TeleportError } from "../mod.ts";
import { AddressError } from "../rpc/shared/address.ts";
import { TlsCredentialsError } from "../rpc/shared/tls_credentials.ts";
import { PolicyError } from "../service/errors.ts";

/** `USAGE`: the options are wrong, exit code 2. `FAILED`: the server cannot run with what it found, exit code 1. */
export type StartErrorCode = "USAGE" | "FAILED";

/** A reason that an administrator can act on. The message says what to do. */
export class StartError extends Error {
  override readonly name = "StartError";
  readonly code: StartErrorCode;

  constructor(
    message: string,
    { code = "FAILED", cause }: { readonly code?: StartErrorCode; readonly cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.code = code;
  }
}

/** Converts an error that the parts of a server throw on purpose. Returns undefined for a defect. */
export function startErrorOf(error: unknown): StartError | undefined {
  if (error instanceof StartError) return error;
  if (error instanceof AddressError) {
    return new StartError(error.message, { code: error.code === "INVALID" ? "USAGE" : "FAILED", cause: error });
  }
  const isExpected = error instanceof CertificateError || error instanceof TlsCredentialsError ||
    error instanceof PolicyError || error instanceof TeleportError;
  return isExpected ? new StartError(error.message, { cause: error }) : undefined;
}
