/** The message of anything that was thrown. */

/**
 * Returns the message of an error, or the text of another thrown value.
 *
 * @example
 * ```ts
 * errorMessage(new Error("disk full")); // "disk full"
 * errorMessage("disk full"); // "disk full"
 * ```
 */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
