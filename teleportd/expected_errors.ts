/** Tells the errors of the parts of a server that an administrator can act on from defects. */
import { CertificateError } from "../certs/errors.ts";
import { TeleportError } from "../mod.ts";
import { AddressError } from "../rpc/shared/address.ts";
import { TlsCredentialsError } from "../rpc/shared/tls_credentials.ts";
import { PolicyError } from "../service/errors.ts";
import { StartError } from "./start_error.ts";

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
