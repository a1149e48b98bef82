/** Error codes, by which programs distinguish errors. */

/**
 * Returns the code of an error, such as `EACCES` or `JOB_NOT_FOUND`. Undefined when the code is not a string.
 *
 * @example
 * ```ts
 * try {
 *   Deno.removeSync("missing");
 * } catch (error) {
 *   if (errorCode(error) !== "ENOENT") throw error;
 * }
 * ```
 */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
