/** Verifies an audit record: every line there, unchanged, in its order. Needs nothing but the files. */
import { CHAIN_START, hashOf, readLine } from "./audit_chain.ts";
import { auditFileName, auditFileNumbers, HEAD_NAME, readHead } from "./audit_files.ts";

/** What was found. */
export interface Verified {
  readonly files: number;
  readonly lines: number;
  /** Of the first and the last line; 0 when there is none. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** SHA-256 of the last line. Kept elsewhere, it proves later that all up to here is as it was. */
  readonly hash: string;
  /** What is wrong, a sentence each, the first 100. */
  readonly problems: readonly string[];
}

/** A record with more is not read on for its problems: the first ones tell where to look. */
const MAX_PROBLEMS = 100;

/**
 * Verifies a directory with all files of a record, or one file of it.
 *
 * @throws {Error} when they cannot be read
 */
export async function verifyAudit(path: string): Promise<Verified> {
  const isDirectory = (await Deno.stat(path)).isDirectory;
  const paths = isDirectory
    ? (await auditFileNumbers(path)).map((number) => `${path}/${auditFileName(number)}`)
    : [path];
  const chain = new Chain(isDirectory ? await headOf(path) : undefined);
  for (const file of paths) await readLines(file, chain);
  return chain.finish({ files: paths.length, whole: isDirectory });
}

/** What was found, for people. */
export function verifiedText({ files, lines, firstSeq, lastSeq, hash, problems }: Verified): string {
  return [
    ...problems,
    `${lines} lines in ${files} files, number ${firstSeq} to ${lastSeq}, the last with SHA-256 ${hash}`,
    problems.length === 0 ? "The record is whole" : "The record is NOT whole",
  ].join("\n");
}

async function headOf(directory: string): Promise<{ readonly seq: number; readonly hash: string } | undefined> {
  try {
    return readHead(await Deno.readTextFile(`${directory}/${HEAD_NAME}`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function readLines(path: string, chain: Chain): Promise<void> {
  const name = path.slice(path.lastIndexOf("/") + 1);
  using file = await Deno.open(path, { read: true });
  let number = 0;
  let rest = "";
  for await (const text of file.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) chain.take(line, `${name}, line ${number += 1}`);
  }
  if (rest !== "") chain.problem(`${name}, line ${number + 1}: it has no end`);
}

/** Follows the chain from line to line. */
class Chain {
  readonly #head: { readonly seq: number; readonly hash: string } | undefined;
  readonly #problems: string[] = [];
  #lines = 0;
  #firstSeq = 0;
  #last = CHAIN_START;
  #lastAt = "";
  #removedThrough = 0;
  #headSeen = false;

  constructor(head: { readonly seq: number; readonly hash: string } | undefined) {
    this.#head = head;
  }

  problem(sentence: string): void {
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push(sentence);
  }

  take(text: string, at: string): void {
    this.#lines += 1;
    const line = readLine(text);
    const hash = hashOf(text);
    if (line === undefined) {
      this.problem(`${at}: it is no line of an audit record`);
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
    if (whole && this.#firstSeq > 1 && this.#removedThrough < this.#firstSeq - 1) {
      this.problem(`The first ${this.#firstSeq - 1} lines are missing, and the record does not say why`);
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
