/** Writes text to a standard stream whole, or says why it cannot. */

/** A file to write to, such as `Deno.stdout`. */
export interface TextFile {
  /** Writes some of the bytes and returns how many. */
  writeSync(bytes: Uint8Array): number;
}

/** Text that could not be written whole. The result of a program is then incomplete, which must not look like success. */
export class TextNotWrittenError extends Error {
  override readonly name = "TextNotWrittenError";
  /** True when the reader has left: what it did not want to read is not missed. */
  readonly readerLeft: boolean;

  constructor(what: string, cause: unknown) {
    super(`Cannot write ${what}: ${cause instanceof Error ? cause.message : cause}`, { cause });
    this.readerLeft = cause instanceof Deno.errors.BrokenPipe;
  }
}

/**
 * Writes a text.
 *
 * @param what the object for the error's sentence, such as `to the standard output`
 * @throws {TextNotWrittenError} when not all of it can be written
 */
export function writeText(file: TextFile, text: string, what = "to the standard output"): void {
  let rest = new TextEncoder().encode(text);
  try {
    while (rest.length > 0) rest = rest.subarray(file.writeSync(rest));
  } catch (error) {
    throw new TextNotWrittenError(what, error);
  }
}
