/** Copies to the server: a program on this machine sends, and a job unpacks. */
import { createHash } from "node:crypto";
import { errorCode } from "../../base/error_code.ts";
import type { Context } from "../context.ts";
import type { Outages } from "../follow/outage.ts";
import { sendInput } from "../follow/send_input.ts";
import type { InputFile, LocalProgram } from "../io.ts";
import type { Progress } from "../print/progress.ts";
import { isSent } from "./changed_files.ts";
import { CopyJob, type CopyJobOptions, failureOf } from "./copy_job.ts";
import type { Copied } from "./download.ts";
import { readLines } from "./local_receiver.ts";
import { type CopyHeader, HeaderParser, nameOf, receiveArgs, sendArgs } from "./scripts.ts";
import { ProblemLines, TextLines } from "./text_lines.ts";

/** The time without progress after which the job ends by itself, because its client is gone. */
const IDLE_MINUTES = 30;

/**
 * Copies a file or directory of this machine to the server.
 *
 * @param source the path here
 * @param destination the path on the server
 * @throws {Error} when anything fails. Then nothing appears under the final name
 */
export async function upload(
  context: Context,
  source: string,
  destination: string,
  options: CopyJobOptions & { readonly progress: Progress },
): Promise<Copied> {
  const { progress, outages, signal } = options;
  const sender = context.io.startProgram("sh", sendArgs(source));
  const problems = new ProblemLines();
  const reading = readLines(sender.stderr, (line) => problems.add(line));
  await sender.endInput();
  try {
    const failed = async () => {
      const code = await sender.ended;
      await reading;
      return new Error(`Cannot copy "${source}": ${problems.toString() || `the program sh ended with code ${code}`}`);
    };
    const archive = new Archive(sender, progress);
    const header = await archive.header();
    if (header === undefined) throw await failed();
    progress.total = header.bytes;
    const reception = {
      kind: header.kind,
      destination,
      name: nameOf(source),
      idleMinutes: IDLE_MINUTES,
    };
    await using job = await CopyJob.register(context, options, receiveArgs(reception));
    const answers: string[] = [];
    const answered = Promise.withResolvers<void>();
    const lines = new TextLines((line) => {
      answers.push(line);
      answered.resolve();
    });
    const over = new AbortController();
    const ended = AbortSignal.any([signal, over.signal]);
    const running = job.run((data) => Promise.resolve(lines.add(data)), ended).finally(answered.resolve);
    running.catch(() => {});
    const checkEnd = async () => {
      const failure = failureOf(await running, job.problems);
      if (failure !== undefined) throw new Error(`Cannot copy to ":${destination}": ${failure}`);
    };
    try {
      await job.started;
      await send(context, archive, { id: job.id, outages, signal: ended }, checkEnd);
      await answered.promise;
      if (answers.length === 0) {
        await checkEnd();
        throw new Error(`Cannot copy to ":${destination}": the server did not confirm it`);
      }
      if (!isSent(await sender.ended, problems)) throw await failed();
      const sha256 = archive.digest();
      if (answers[0] !== sha256) {
        throw new Error(`The copy was altered on its way: its SHA-256 is ${answers[0]}, not ${sha256}`);
      }
      await job.confirm();
      await checkEnd();
      for (const line of [...problems.lines, ...job.problems.lines]) await context.print.note(line);
      return { path: answers[1] ?? destination, bytes: archive.bytes, sha256 };
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      over.abort();
      await running.catch(() => {});
    }
  } finally {
    sender.kill("SIGTERM");
    await drain(sender.stdout);
    await reading;
    await sender.ended;
  }
}

/** Sends the archive. When the job ends before, it says why. */
async function send(
  { calls }: Context,
  archive: Archive,
  options: { readonly id: string; readonly outages: Outages; readonly signal: AbortSignal },
  checkEnd: () => Promise<void>,
): Promise<void> {
  try {
    await sendInput(calls, archive, { ...options, offset: 0, endsInput: true });
  } catch (error) {
    const code = errorCode(error);
    if (code === "JOB_NOT_RUNNING" || code === "INPUT_CLOSED") await checkEnd();
    throw error;
  }
}

/** The archive that a sender writes, with its digest. */
class Archive implements InputFile {
  readonly #program: LocalProgram;
  readonly #progress: Progress;
  readonly #hash = createHash("sha256");
  #rest = new Uint8Array();
  bytes = 0;

  constructor(program: LocalProgram, progress: Progress) {
    this.#program = program;
    this.#progress = progress;
  }

  /** Reads the first line. Undefined when the sender ended before. */
  async header(): Promise<CopyHeader | undefined> {
    const parser = new HeaderParser();
    const buffer = new Uint8Array(65_536);
    for (let count = await this.#program.stdout.read(buffer); count !== null;) {
      const parsed = parser.take(buffer.subarray(0, count));
      if (parsed !== undefined) {
        this.#rest = parsed.rest.slice();
        return parsed.header;
      }
      count = await this.#program.stdout.read(buffer);
    }
    return undefined;
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    let count: number | null;
    if (this.#rest.length > 0) {
      const taken = this.#rest.subarray(0, buffer.length);
      buffer.set(taken);
      this.#rest = this.#rest.slice(taken.length);
      count = taken.length;
    } else {
      count = await this.#program.stdout.read(buffer);
    }
    if (count === null) return null;
    this.#hash.update(buffer.subarray(0, count));
    this.bytes += count;
    await this.#progress.add(count);
    return count;
  }

  /** Returns the digest of everything that was read, in hexadecimal. */
  digest(): string {
    return this.#hash.digest("hex");
  }
}

/** Reads to the end, so that the program can end. */
async function drain(file: InputFile): Promise<void> {
  const buffer = new Uint8Array(65_536);
  while (await file.read(buffer).catch(() => null) !== null);
}
