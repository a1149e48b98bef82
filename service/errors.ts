/** Refusals of the service: the caller is nobody it knows, or may not do that. */
import { TeleportError } from "../mod.ts";

/** The caller has shown no certificate that names a user. */
export class UnauthenticatedError extends TeleportError {
  constructor(why: string) {
    super("UNAUTHENTICATED", `${why}: use a client certificate made by this server's authority`);
  }
}

/** The caller's roles do not allow the call. */
export class PermissionDeniedError extends TeleportError {
  constructor(message: string) {
    super("PERMISSION_DENIED", message);
  }
}
