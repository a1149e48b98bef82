/** Verifies an audit log from its files alone: every line is present, unchanged and in order. */
import { CHAIN_START, type ChainEnd, hashOf, MAX_LINE_BYTES, readLine } from "./hash_chain.ts";
import { auditFileName, auditFileNumbers, HEAD_NAME, readHead } from "./file_names.ts";

/** The result of a verification. */
export interface Verified {
  readonly files: number;
  readonly lines: number;
  /** The number of the first line; 0 when there is none. */
  readonly firstSeq: number;
  /** The number of the last line; 0 when there is none. */
  readonly lastSeq: number;
  /** The SHA-256 digest of the last line. A copy kept elsewhere can prove later that nothing before it has changed. */
  readonly hash: string;
  /** The problems, one sentence each, at most 100. */
  readonly problems: readonly string[];
}

/** The most problems. The first ones show where to look. */
const MAX_PROBLEMS = 100;

/** The most attempts to read the files. A running server can remove its oldest file meanwhile. */
const MAX_ATTEMPTS = 10;

/** How often an audit log with problems is read again while a server writes it. */
const MAX_CHECKS = 3;

/**
 * Verifies the directory of an audit log, or one of its files. A server may write the log meanwhile.
 *
 * @throws {Error} when a file cannot be read
 */
export async function verifyAudit(path: string): Promise<Verified> {
  if (!(await Deno.stat(path)).isDirectory) return await verifyFiles([path], undefined);
  let checks = 0;
  for (let attempt = 1;; attempt++) {
    // The head is read before the files, so they have the line that it names.
    const head = await readHead(path);
    const paths = (await auditFileNumbers(path)).map((number) => `${path}/${auditFileName(number)}`);
    try {
      const found = await verifyFiles(paths, { head });
      const isWritten = (await readHead(path))?.seq !== head?.seq;
      if (found.problems.length === 0 || !isWritten || ++checks === MAX_CHECKS) return found;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound) || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

/** @param whole the head of a whole audit log; undefined for a single file */
async function verifyFiles(
  paths: readonly string[],
  whole: { readonly head: ChainEnd | undefined } | undefined,
): Promise<Verified> {
  const chain = new Chain(whole?.head);
  for (const path of paths) await readLines(path, chain);
  return chain.finish({ files: paths.length, whole: whole !== undefined });
}

/** Returns the result as text. */
export function verifiedText({ files, lines, firstSeq, lastSeq, hash, problems }: Verified): string {
  return [
    ...problems,
    `${lines} lines in ${files} files, number ${firstSeq} to ${lastSeq}, the last with SHA-256 ${hash}`,
    problems.length > 0
      ? "The audit log is NOT whole"
      : lines === 0
      ? "The audit log is empty: no line has been written yet"
      : "The audit log is whole",
  ].join("\n");
}

async function readLines(path: string, chain: Chain): Promise<void> {
  const name = path.slice(path.lastIndexOf("/") + 1);
  using file = await Deno.open(path, { read: true });
  let number = 0;
  let rest = new Uint8Array();
  // Read as bytes: decoding would hide bytes that are not UTF-8, and a byte order mark.
  for await (const bytes of file.readable) {
    let start = 0;
    for (let end = bytes.indexOf(LINE_BREAK); end >= 0; end = bytes.indexOf(LINE_BREAK, start)) {
      chain.take(joined(rest, bytes.subarray(start, end)), `${name}, line ${number += 1}`);
      rest = new Uint8Array();
      start = end + 1;
    }
    rest = joined(rest, bytes.subarray(start));
    if (rest.length > MAX_LINE_BYTES) return chain.problem(`${name}, line ${number + 1}: it is longer than any line`);
  }
  if (rest.length > 0) chain.problem(`${name}, line ${number + 1}: it has no end`);
}

const LINE_BREAK = 10;

function joined(one: Uint8Array<ArrayBuffer>, other: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (one.length === 0) return other;
  const whole = new Uint8Array(one.length + other.length);
  whole.set(one);
  whole.set(other, one.length);
  return whole;
}

/** Follows the chain from line to line. */
class Chain {
  readonly #head: ChainEnd | undefined;
  readonly #problems: string[] = [];
  #lines = 0;
  #firstSeq = 0;
  #last = CHAIN_START;
  #lastAt = "";
  #removedThrough = 0;
  #headSeen: boolean;

  constructor(head: ChainEnd | undefined) {
    this.#head = head;
    // The head of an audit log without lines names none.
    this.#headSeen = head?.seq === 0;
  }

  problem(sentence: string): void {
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push(sentence);
  }

  take(bytes: Uint8Array, at: string): void {
    this.#lines += 1;
    const line = readLine(bytes);
    const hash = hashOf(bytes);
    if (line === undefined) {
      this.problem(`${at}: it is not a line of an audit log`);
      this.#last = { seq: this.#last.seq + 1, hash };
      this.#lastAt = at;
      return;
    }
    const { seq, prev } = line;
    if (this.#lines === 1) this.#firstSeq = seq;
    const first = this.#lines === 1 && seq !== 1;
    if (!first && seq <= this.#last.seq) this.problem(`${at}: number ${seq} comes after ${this.#last.seq}`);
    else if (!first && seq > this.#last.seq + 1) {
      this.problem(`${at}: ${seq - this.#last.seq - 1} lines before it are missing`);
    } else if (!first && prev !== this.#last.hash) {
      this.problem(
        this.#lastAt === "" ? `${at}: it is not the first line` : `${this.#lastAt}: it was changed, or ${at}`,
      );
    }
    this.#removedThrough = Math.max(this.#removedThrough, line.removed_through ?? 0);
    if (this.#head?.seq === seq && this.#head.hash === hash) this.#headSeen = true;
    this.#last = { seq, hash };
    this.#lastAt = at;
  }

  finish({ files, whole }: { readonly files: number; readonly whole: boolean }): Verified {
    // A server makes the head and a file at its start. Without them there is no audit log, or it was removed.
    if (this.#lines === 0 && !(whole && files > 0 && this.#head !== undefined)) {
      this.problem(whole ? "There is no audit log in this directory" : "The file has no line of an audit log");
    }
    if (whole && this.#firstSeq > 1 && this.#removedThrough < this.#firstSeq - 1) {
      this.problem(`The first ${this.#firstSeq - 1} lines are missing, and the audit log does not say why`);
    }
    if (whole && this.#head === undefined && this.#lines > 0) {
      this.problem(`"${HEAD_NAME}" is missing or damaged: lines may have been cut off the end`);
    }
    if (this.#head !== undefined && !this.#headSeen) {
      this.problem(
        this.#head.seq > this.#last.seq
          ? `The last ${this.#head.seq - this.#last.seq} lines are missing`
          : `Line number ${this.#head.seq} is not the one that "${HEAD_NAME}" names: it was changed`,
      );
    }
    const { seq: lastSeq, hash } = this.#last;
    return { files, lines: this.#lines, firstSeq: this.#firstSeq, lastSeq, hash, problems: this.#problems };
  }
}
