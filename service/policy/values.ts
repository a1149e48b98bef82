/** Values of a policy file that rules and templates have in common. */
import { JsonFormError, readString } from "../../text/strict_json.ts";
import { oneLine } from "../../text/unprintable.ts";
import { Pattern } from "./pattern.ts";

/**
 * Compiles a pattern.
 *
 * @throws {JsonFormError} when it is not a pattern
 */
export function readPattern(source: string, at: string): Pattern {
  try {
    return new Pattern(source);
  } catch (cause) {
    throw new JsonFormError(
      at,
      `it is not a regular expression without look-around and back-references: ${oneLine(cause)}`,
    );
  }
}

/**
 * Returns an absolute path.
 *
 * @throws {JsonFormError} when the value is not an absolute path
 */
export function readAbsolutePath(value: unknown, at: string): string {
  const path = readString(value, at);
  if (!path.startsWith("/") || path.includes("\0")) throw new JsonFormError(at, "give an absolute path");
  return path;
}
