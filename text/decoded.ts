/**
 * Arguments and variables are bytes. The runtime decodes them as UTF-8 and does not give the bytes away, so what is not
 * UTF-8 has to be refused: it would reach its end altered.
 */

/** The runtime puts this character for bytes of an argument that are not UTF-8. */
const REPLACEMENT = "\ufffd";

/** An argument or a variable that is not UTF-8. */
export class NotUtf8Error extends Error {
  override readonly name = "NotUtf8Error";

  /** @param what the name of what is not UTF-8, to begin a sentence with */
  constructor(what: string) {
    super(`${what} is not valid UTF-8, or holds U+FFFD, which looks the same to this program`);
  }
}

/**
 * Checks arguments as the runtime decoded them.
 *
 * @throws {NotUtf8Error} for the first that is not what was typed
 */
export function checkArguments(args: readonly string[]): void {
  const altered = args.find((arg) => arg.includes(REPLACEMENT));
  if (altered !== undefined) throw new NotUtf8Error(`The argument ${JSON.stringify(altered)}`);
}

/**
 * Reads a variable. One that is not UTF-8 is refused where it is used, by {@linkcode checkVariable}: a program that does
 * not need it must run.
 *
 * @param get such as `Deno.env.get`, which throws for such a variable
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
 * Checks a variable that `readVariable` has read.
 *
 * @returns its value
 * @throws {NotUtf8Error} when that is not what the environment has
 */
export function checkVariable(name: string, value: string | undefined): string | undefined {
  if (value?.includes(REPLACEMENT)) throw new NotUtf8Error(`The environment variable ${name}`);
  return value;
}
