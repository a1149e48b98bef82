/**
 * The lines of a journal of ends: the CRC-32 (RFC 1952) of a JSON text in eight hexadecimal digits, a space, and the text.
 * Later versions must read them.
 */
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
  const text = toMarkedJson(end);
  return new TextEncoder().encode(`${checksum(text)} ${text}\n`);
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}

/** Decodes a line, without its line feed. Undefined when it is damaged. */
function decodeEnd(line: string): JobChange | undefined {
  const text = line.slice(9);
  if (line.slice(0, 9) !== `${checksum(text)} `) return undefined;
  return fromMarkedJson(text) as JobChange;
}

/**
 * Reads the ends that a dead host has left, by the ids of their jobs. Ignores a torn last line, and skips damaged ones.
 *
 * @param onDamaged called with the number of each damaged line
 * @throws {Error} when the file cannot be read; no file means no ends
 */
export function readEnds(
  hostDirectory: string,
  onDamaged: (line: number) => void,
): ReadonlyMap<string, JobChange> {
  const ends = new Map<string, JobChange>();
  let text = "";
  try {
    text = new TextDecoder().decode(readPlainFile(journalPath(hostDirectory), Infinity));
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
  const lines = text.split("\n");
  lines.pop(); // The text after the last line feed: empty, or a torn line.
  for (const [index, line] of lines.entries()) {
    const end = decodeEnd(line);
    if (end === undefined) onDamaged(index + 1);
    else ends.set(end.id, end);
  }
  return ends;
}
