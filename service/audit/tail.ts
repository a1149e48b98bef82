/** The ends of the files of the audit record: the last line that is whole, and what a crash has left behind it. */
import { CHAIN_START, type ChainEnd, hashOf, MAX_LINE_BYTES, readLine } from "./chain.ts";
import { auditFileName } from "./files.ts";

/** What the next line is chained to: the last whole line of the newest file that has one. */
export async function endOfRecord(directory: string, numbers: readonly number[]): Promise<ChainEnd> {
  for (const number of numbers.toReversed()) {
    const line = await lastLine(`${directory}/${auditFileName(number)}`);
    if (line === undefined) continue;
    // What is no line of the record any more is for the one who verifies it; the record goes on behind it.
    return { seq: readLine(line)?.seq ?? 0, hash: hashOf(line) };
  }
  return CHAIN_START;
}

/** So much is read of a file's end: the last whole line, and what a crash has torn of one behind it. */
const MAX_TAIL_BYTES = 2 * MAX_LINE_BYTES;

/** The last line of a file that ends with a line break; undefined when there is none, or no file. */
export async function lastLine(path: string): Promise<Uint8Array | undefined> {
  const bytes = await tailOf(path);
  const end = bytes.lastIndexOf(10);
  if (end < 0) return undefined;
  const start = bytes.lastIndexOf(10, end - 1) + 1;
  return bytes.subarray(start, end);
}

/** The end of a file; nothing where there is none. */
async function tailOf(path: string): Promise<Uint8Array> {
  let opened: Deno.FsFile;
  try {
    opened = await Deno.open(path, { read: true });
  } catch (error) {
    // Somebody else may have removed it, which the one who verifies the record will see.
    if (error instanceof Deno.errors.NotFound) return new Uint8Array();
    throw error;
  }
  using file = opened;
  const { size } = await file.stat();
  await file.seek(Math.max(0, size - MAX_TAIL_BYTES), Deno.SeekMode.Start);
  const bytes = new Uint8Array(Math.min(size, MAX_TAIL_BYTES));
  let read = 0;
  while (read < bytes.length) {
    const count = await file.read(bytes.subarray(read));
    if (count === null) break;
    read += count;
  }
  return bytes.subarray(0, read);
}

/** Cuts off a last line that has no end; tells how many bytes it had, and how many the file has now. */
export async function cutTornLine(path: string): Promise<{ torn: number; size: number }> {
  const bytes = await tailOf(path);
  const torn = bytes.length - (bytes.lastIndexOf(10) + 1);
  const size = bytes.length === 0 ? 0 : (await Deno.stat(path)).size;
  if (torn > 0) await Deno.truncate(path, size - torn);
  return { torn, size: size - torn };
}
