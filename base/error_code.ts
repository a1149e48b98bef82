/** Error codes, by which programs tell errors apart. */

/**
 * Returns the code of an error, such as `EACCES` or `JOB_NOT_FOUND`. Undefined when the error has no code of text.
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
