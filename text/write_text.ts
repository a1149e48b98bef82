/** Writes text completely to a standard stream. */
import { errorMessage } from "../base/error_message.ts";

/** A file, such as `Deno.stdout`. */
export interface TextFile {
  /** Writes some of the bytes, and returns their number. */
  writeSync(bytes: Uint8Array): number;
}

/** A text could not be written completely, so the result of the program is incomplete. */
export class TextNotWrittenError extends Error {
  override readonly name = "TextNotWrittenError";
  /** True when the reader closed the stream, and therefore does not need the rest. */
  readonly readerLeft: boolean;

  constructor(what: string, cause: unknown) {
    super(`Cannot write ${what}: ${errorMessage(cause)}`, { cause });
    this.readerLeft = cause instanceof Deno.errors.BrokenPipe;
  }
}

/**
 * Writes a text.
 *
 * @param what the object of the error text, such as `to the standard output`
 * @throws {TextNotWrittenError} when the text cannot be written completely
 */
export function writeText(file: TextFile, text: string, what = "to the standard output"): void {
  let rest = new TextEncoder().encode(text);
  try {
    while (rest.length > 0) rest = rest.subarray(file.writeSync(rest));
  } catch (error) {
    throw new TextNotWrittenError(what, error);
  }
}
