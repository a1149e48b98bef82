/**
 * Checks that arguments and environment variables are valid UTF-8. Deno decodes them, replaces invalid bytes, and gives no
 * access to the original bytes.
 */

/** The character with which Deno replaces invalid bytes. */
const REPLACEMENT = "\ufffd";

/** An argument or a variable is not valid UTF-8. */
export class NotUtf8Error extends Error {
  override readonly name = "NotUtf8Error";

  /** @param what the subject of the message, such as `The argument "…"` */
  constructor(what: string) {
    super(`${what} is not valid UTF-8, or has U+FFFD, which looks the same to this program`);
  }
}

/**
 * Checks decoded arguments.
 *
 * @throws {NotUtf8Error} when an argument is not valid UTF-8; the error names the first one
 */
export function checkArguments(args: readonly string[]): void {
  const altered = args.find((arg) => arg.includes(REPLACEMENT));
  if (altered !== undefined) throw new NotUtf8Error(`The argument ${JSON.stringify(altered)}`);
}

/**
 * Reads a variable that may be invalid. {@linkcode checkVariable} refuses an invalid one later, so a program that does not
 * use it still runs.
 *
 * @param get the function to read, such as `Deno.env.get`, which throws for an invalid variable
 */
export function readVariable(get: (name: string) => string | undefined, name: string): string | undefined {
  try {
    return get(name);
  } catch (error) {
    if (error instanceof Deno.errors.InvalidData) return REPLACEMENT;
    throw error;
  }
}

/**
 * Checks a variable from {@linkcode readVariable}.
 *
 * @returns the value
 * @throws {NotUtf8Error} when the value is not valid UTF-8
 */
export function checkVariable(name: string, value: string | undefined): string | undefined {
  if (value?.includes(REPLACEMENT)) throw new NotUtf8Error(`The environment variable ${name}`);
  return value;
}
