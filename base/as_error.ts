/** Anything that was thrown, as an error. */

/**
 * Returns an error as it is, and any other thrown value as an error with its text.
 *
 * @example
 * ```ts
 * asError("disk full").message; // "disk full"
 * ```
 */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
