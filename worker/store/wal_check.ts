/**
 * Finds damage in a write-ahead log. SQLite does not report damage: it drops all frames from the first wrong checksum on,
 * as after a power failure. Format: sqlite.org/fileformat2.html#walformat
 */

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;

/** The magic number of little-endian checksums. The number of big-endian checksums is one greater. */
const MAGIC = 0x377f0682;

/** The page sizes of SQLite. */
const PAGE_BYTES: readonly number[] = [512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768, 65_536];

/** The bytes read at a time, rounded down to whole frames. */
const BLOCK_BYTES = 1_048_576;

/** The damage in a log. */
export interface WalFinding {
  /**
   * - `TORN`: the last transaction is incomplete, as after a kill or on a full disk
   * - `DAMAGED`: frames changed after they were written
   */
  readonly kind: "TORN" | "DAMAGED";
  /** The first byte that SQLite drops. */
  readonly at: number;
}

/** Two running sums. Each frame continues the sums of the frame before it. */
type Checksum = readonly [number, number];

/**
 * Checks a log whose database no process has open.
 *
 * A process writes frames in order and the committing frame last. So a wrong frame before a correct commit is damage.
 * After a power failure it is not, because then the pages of the file reach the disk in any order. After the last frame, frames of
 * an earlier use of the file may follow, with other salts. Frames of a failed transaction have no commit.
 *
 * @returns undefined when the log is intact, empty, or does not exist
 */
export function checkWal(path: string): WalFinding | undefined {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  try {
    const { size } = file.statSync();
    // SQLite treats it as empty.
    if (size < HEADER_BYTES) return undefined;
    return readFrames(file, size);
  } finally {
    file.close();
  }
}

function readFrames(file: Deno.FsFile, size: number): WalFinding | undefined {
  const header = new DataView(readBlock(file, HEADER_BYTES).buffer);
  const magic = header.getUint32(0);
  const isLittleEndian = magic === MAGIC;
  const sum = (from: Checksum, view: DataView, at: number, bytes: number) =>
    checksum(from, view, at, bytes, isLittleEndian);
  let good = sum([0, 0], header, 0, 24);
  if ((!isLittleEndian && magic !== MAGIC + 1) || !isAt(good, header, 24)) return { kind: "DAMAGED", at: 0 };
  const pageBytes = header.getUint32(8);
  // The checksum matches, but SQLite never writes this size.
  if (!PAGE_BYTES.includes(pageBytes)) return { kind: "DAMAGED", at: 0 };
  const frameBytes = FRAME_HEADER_BYTES + pageBytes;
  const salts = [header.getUint32(16), header.getUint32(20)] as const;
  /** Each reuse of the file counts up. In the first use no older frames follow. */
  const isFirstUse = header.getUint32(12) === 0;

  let at = HEADER_BYTES;
  let endsWithCommit = true;
  let bad: { readonly at: number; readonly isOwn: boolean; readonly isLastCommit: boolean } | undefined;
  /** The sums that the next frame may continue: those stored in the bad frame, and those computed for it. */
  let before: readonly Checksum[] = [];
  const blockFrames = Math.max(1, Math.floor(BLOCK_BYTES / frameBytes));
  while (at < size) {
    const block = readBlock(file, Math.min(size - at, blockFrames * frameBytes));
    if (block.length === 0) break;
    const view = new DataView(block.buffer, 0, block.length);
    for (let start = 0; start < block.length; start += frameBytes, at += frameBytes) {
      if (start + FRAME_HEADER_BYTES > block.length) return bad === undefined ? { kind: "TORN", at } : ended(bad);
      const isWhole = start + frameBytes <= block.length;
      const isCommit = view.getUint32(start + 4) !== 0;
      const salt1 = view.getUint32(start + 8) === salts[0];
      const salt2 = view.getUint32(start + 12) === salts[1];
      const sumAfter = (from: Checksum) => sum(sum(from, view, start, 8), view, start + FRAME_HEADER_BYTES, pageBytes);
      const isAfter = (from: Checksum) => isAt(sumAfter(from), view, start + 16);
      if (bad === undefined) {
        const next = isWhole ? sumAfter(good) : good;
        if (isWhole && salt1 && salt2 && isAt(next, view, start + 16)) {
          good = next;
          endsWithCommit = isCommit;
          continue;
        }
        // Each use of the file has its own two salts. A frame with one of them had both.
        const isOwn = salt1 || salt2;
        const isLast = isWhole && start + frameBytes === block.length && at + frameBytes >= size;
        // In the first use of the file, a frame that a kill cut is shorter.
        const isLastCommit = isFirstUse && isWhole && (isOwn ? isLast && isCommit : true);
        bad = { at, isOwn, isLastCommit };
        before = [next];
      } else if (isWhole && salt1 && salt2 && isCommit && before.some(isAfter)) {
        return { kind: "DAMAGED", at: bad.at };
      } else {
        before = [];
      }
      before = [...before, [view.getInt32(start + 16), view.getInt32(start + 20)]];
    }
  }
  if (bad !== undefined) return ended(bad);
  return endsWithCommit ? undefined : { kind: "TORN", at };

  function ended({ at, isOwn, isLastCommit }: NonNullable<typeof bad>): WalFinding | undefined {
    if (isLastCommit) return { kind: "DAMAGED", at };
    // A frame of an earlier use of the file is not part of this log.
    return isOwn || !endsWithCommit ? { kind: "TORN", at } : undefined;
  }
}

function readBlock(file: Deno.FsFile, bytes: number): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(bytes);
  let length = 0;
  while (length < bytes) {
    const read = file.readSync(block.subarray(length));
    if (read === null) break;
    length += read;
  }
  return block.subarray(0, length);
}

function checksum([first, second]: Checksum, view: DataView, at: number, bytes: number, isLittle: boolean): Checksum {
  const end = at + bytes;
  for (; at < end; at += 8) {
    first = (first + view.getInt32(at, isLittle) + second) | 0;
    second = (second + view.getInt32(at + 4, isLittle) + first) | 0;
  }
  return [first, second];
}

/** Returns whether the checksum is stored there. It is big-endian, whatever the byte order of the words. */
function isAt([first, second]: Checksum, view: DataView, at: number): boolean {
  return view.getInt32(at) === first && view.getInt32(at + 4) === second;
}
