/**
 * Finds damage in a write-ahead log, which SQLite does not report: it drops everything from the first frame on whose
 * checksum is wrong, as after a power failure. Format: sqlite.org/fileformat2.html#walformat
 */

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;

/** Of these two the lowest bit says in which byte order the checksums read words: 0 for little-endian. */
const MAGIC = 0x377f0682;

/** The sizes that SQLite's pages may have. */
const PAGE_BYTES: readonly number[] = [512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768, 65_536];

/** Read at a time, about. */
const BLOCK_BYTES = 1_048_576;

/** What is wrong with a log. */
export interface WalFinding {
  /**
   * - `TORN`: the last transaction was not written to its end, as a kill or a full disk leaves it
   * - `DAMAGED`: what was written whole was changed since
   */
  readonly kind: "TORN" | "DAMAGED";
  /** The first byte that SQLite drops. */
  readonly at: number;
}

/** Two running sums; each frame's go on from the frame before. */
type Checksum = readonly [number, number];

/**
 * Reads a log whose database no process has open.
 *
 * A process writes frames in order, and the frame that commits last. So a frame that is wrong before a commit that is
 * right was changed since, unless the machine lost power: then pages of the file reach the disk in any order. Frames of
 * an earlier use of the file may follow, with other salts, and frames of a transaction that failed, without a commit.
 *
 * @returns undefined when it is whole, empty, or not there
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
    // SQLite takes it for empty.
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
  // Not as SQLite writes it, though the checksum is right.
  if (!PAGE_BYTES.includes(pageBytes)) return { kind: "DAMAGED", at: 0 };
  const frameBytes = FRAME_HEADER_BYTES + pageBytes;
  const salts = [header.getUint32(16), header.getUint32(20)] as const;
  /** Each use of the file over again counts up; in its first one nothing else is behind the frames. */
  const isFirstUse = header.getUint32(12) === 0;

  let at = HEADER_BYTES;
  let endsWithCommit = true;
  let bad: { readonly at: number; readonly isOwn: boolean; readonly isLastCommit: boolean } | undefined;
  /** What a whole frame behind the bad one goes on from: what is written there, or what should be. */
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
        // A use of the file counts the first salt up and makes the second at random: to have one is to have had both.
        const isOwn = salt1 || salt2;
        const isLast = isWhole && start + frameBytes === block.length && at + frameBytes >= size;
        // What a kill cuts short is shorter, where nothing older is behind it.
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
    // What an earlier use of the file left is no part of it.
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

/** Whether a checksum stands there; it does in big-endian, whatever the order of the words. */
function isAt([first, second]: Checksum, view: DataView, at: number): boolean {
  return view.getInt32(at) === first && view.getInt32(at + 4) === second;
}
