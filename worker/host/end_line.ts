/**
 * The lines of a journal of ends: the CRC-32 (RFC 1952) of a JSON text in eight hexadecimal digits, a space, and the text.
 * The text is an end. In the last line of a host that ended in order it is `{"closed":true}`. Later versions must read them.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { errorCode } from "../../base/error_code.ts";
import { fromMarkedJson, toMarkedJson } from "../../base/marked_json.ts";
import { readPlainFile } from "../../base/plain_file.ts";
import type { JobChange } from "./link.ts";

/** The name of the journal in the directory of a host. */
const JOURNAL_NAME = "ends.journal";

/** Returns the path of the journal of a host. */
export function journalPath(hostDirectory: string): string {
  return join(hostDirectory, JOURNAL_NAME);
}

/** Encodes an end as a line. */
export function encodeEnd(end: JobChange): Uint8Array {
  return encodeLine(toMarkedJson(end));
}

function encodeLine(text: string): Uint8Array {
  return new TextEncoder().encode(`${checksum(text)} ${text}\n`);
}

const CLOSED = '{"closed":true}';

/** The last line of a host that ended in order. A job without an end above it never started there. */
export const CLOSING_LINE: Uint8Array = encodeLine(CLOSED);

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}

/** Returns the text of a line, which is given without its line feed. Undefined when it is damaged. */
function decodeLine(line: string): string | undefined {
  const text = line.slice(9);
  return line.slice(0, 9) === `${checksum(text)} ` ? text : undefined;
}

/** The ends that a host has left. */
export interface LeftEnds {
  /** The ends by the ids of their jobs. */
  readonly ends: ReadonlyMap<string, JobChange>;
  /** True when no end is missing: the host ended in order, and nothing is torn or damaged. */
  readonly areComplete: boolean;
}

/**
 * Reads the ends that a host has left. Ignores a torn last line, and skips damaged ones.
 *
 * @param onDamaged called with the number of each damaged line
 * @throws {Error} when the file cannot be read. No file means no ends. No directory means that none was missing
 */
export function readEnds(hostDirectory: string, onDamaged: (line: number) => void): LeftEnds {
  const ends = new Map<string, JobChange>();
  let text: string;
  try {
    text = new TextDecoder().decode(readPlainFile(journalPath(hostDirectory), Infinity));
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    // A host that ends in order without a job removes its directory.
    return { ends, areComplete: !existsSync(hostDirectory) };
  }
  const lines = text.split("\n");
  const torn = lines.pop(); // The text after the last line feed.
  let areComplete = torn === "" && decodeLine(lines.at(-1) ?? "") === CLOSED;
  for (const [index, line] of lines.entries()) {
    const decoded = decodeLine(line);
    if (decoded === undefined) {
      areComplete = false;
      onDamaged(index + 1);
    } else if (decoded !== CLOSED) {
      const end = fromMarkedJson(decoded) as JobChange;
      ends.set(end.id, end);
    }
  }
  return { ends, areComplete };
}
