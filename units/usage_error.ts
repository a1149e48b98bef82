/** The error of a command line that cannot be meant: it ends with exit code 2. */

/** What was typed cannot be meant. The message says what was wanted instead. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
