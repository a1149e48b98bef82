/** Cursors of a search: a cursor of the output, and the positions in each stream at which the search continues. */
import { InvalidArgumentError } from "../../mod.ts";

/** A place in a search. */
export interface SearchPlace {
  /** The cursor of output at or before both positions. Empty: the start. */
  readonly cursor: string;
  /** The position of the next line of each stream. Earlier bytes were searched. */
  readonly stdout: number;
  readonly stderr: number;
}

/** Formats a place, such as `2p.1c.0.hV3_k2aZ~1a~0`. Without a signature, because it only skips output. */
export function formatSearchCursor({ cursor, stdout, stderr }: SearchPlace): string {
  return `${cursor}~${stdout.toString(36)}~${stderr.toString(36)}`;
}

/**
 * Parses a cursor of a search, or one of output.
 *
 * @throws {InvalidArgumentError} when it is neither. The library checks the cursor of output
 */
export function parseSearchCursor(text: string): SearchPlace {
  const [cursor = "", ...positions] = text.split("~");
  if (positions.length === 0) return { cursor, stdout: 0, stderr: 0 };
  // Ten digits of base 36 hold every number below 2^51.
  if (positions.length !== 2 || !positions.every((position) => /^[0-9a-z]{1,10}$/.test(position))) {
    throw new InvalidArgumentError(`'cursor' must be a cursor of this job's output, got "${text}"`);
  }
  const [stdout = 0, stderr = 0] = positions.map((position) => parseInt(position, 36));
  return { cursor, stdout, stderr };
}
