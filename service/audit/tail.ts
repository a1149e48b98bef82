/** The end of a file of the audit log: its last whole line, and the incomplete line that a crash has left. */
import { CHAIN_START, type ChainEnd, hashOf, MAX_LINE_BYTES, readLine } from "./hash_chain.ts";
import { auditFileName } from "./file_names.ts";

/** Returns the end of the chain: the last whole line of the newest file that has one. */
export async function endOfLog(directory: string, numbers: readonly number[]): Promise<ChainEnd> {
  for (const number of numbers.toReversed()) {
    const line = await lastLine(`${directory}/${auditFileName(number)}`);
    if (line === undefined) continue;
    // A damaged line is a finding of the verification. The audit log continues after it.
    return { seq: readLine(line)?.seq ?? 0, hash: hashOf(line) };
  }
  return CHAIN_START;
}

/** The most bytes that are read: the last whole line, and an incomplete line. */
const MAX_TAIL_BYTES = 2 * MAX_LINE_BYTES;

/** Returns the last whole line of a file without its line break. Undefined when there is no such line, or no file. */
export async function lastLine(path: string): Promise<Uint8Array | undefined> {
  const bytes = await tailOf(path);
  const end = bytes.lastIndexOf(10);
  if (end < 0) return undefined;
  const start = bytes.lastIndexOf(10, end - 1) + 1;
  return bytes.subarray(start, end);
}

/** Returns the end of a file. Empty when there is no file. */
async function tailOf(path: string): Promise<Uint8Array> {
  let opened: Deno.FsFile;
  try {
    opened = await Deno.open(path, { read: true });
  } catch (error) {
    // Somebody may have removed the file. The verification finds that.
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

/** Cuts off an incomplete last line. Returns its size and the remaining size of the file, in bytes. */
export async function cutTornLine(path: string): Promise<{ readonly tornBytes: number; readonly size: number }> {
  const bytes = await tailOf(path);
  const tornBytes = bytes.length - (bytes.lastIndexOf(10) + 1);
  const size = bytes.length === 0 ? 0 : (await Deno.stat(path)).size;
  if (tornBytes > 0) await Deno.truncate(path, size - tornBytes);
  return { tornBytes, size: size - tornBytes };
}
