/** The error of a server or a job host that cannot start. A job host loads this file, so it imports nothing. */

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
