/** The error of an invalid command line, for exit code 2. */

/** The command line is not valid. The message says what to write. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
