/** The errors of the service. */
import { TeleportError } from "../mod.ts";

/** The caller has no certificate that names a user. */
export class UnauthenticatedError extends TeleportError {
  constructor(reason: string) {
    super("UNAUTHENTICATED", `${reason}: use a client certificate made by this server's authority`);
  }
}

/** The caller's roles do not allow the call. */
export class PermissionDeniedError extends TeleportError {
  constructor(message: string) {
    super("PERMISSION_DENIED", message);
  }
}

/** A text is not a valid policy. The message says where, and what to write. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
}
