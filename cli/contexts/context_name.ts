/** The names of contexts. A name is also the name of a directory. */
import { UsageError } from "../../units/usage_error.ts";

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** The form of a name, for error texts. */
export const NAME_FORM = 'up to 64 letters, digits, "_", "." and "-", beginning with a letter or digit';

/** Returns whether a text can be the name of a context. */
export function isContextName(text: string): boolean {
  return NAME.test(text);
}

/**
 * Returns the name.
 *
 * @throws {UsageError} when the text cannot be a name
 */
export function checkContextName(text: string): string {
  if (isContextName(text)) return text;
  throw new UsageError(`Invalid context name ${JSON.stringify(text)}: give ${NAME_FORM}`);
}

/** Returns the name for a new context of a server: the host of its address. */
export function nameForAddress(address: string): string {
  const host = address.slice(0, address.lastIndexOf(":")).replaceAll(/[^A-Za-z0-9_.-]+/g, "-").replace(
    /^[^A-Za-z0-9]+/,
    "",
  );
  return host.slice(0, 64).replace(/-+$/, "") || "default";
}
