/** The receiver of a copy on this machine. */
import type { Io, LocalProgram } from "../io.ts";
import { CONFIRMATION, receiveArgs, type Reception } from "./scripts.ts";
import { ProblemLines, TextLines } from "./text_lines.ts";

/** A program that unpacks an archive. */
export class LocalReceiver {
  readonly problems = new ProblemLines();
  readonly #destination: string;
  readonly #program: LocalProgram;
  readonly #reading: Promise<void>;
  readonly #lines: string[] = [];
  #firstLine = Promise.withResolvers<void>();
  #isOver = false;

  constructor(io: Pick<Io, "startProgram">, reception: Reception) {
    this.#destination = reception.destination;
    this.#program = io.startProgram("sh", receiveArgs(reception));
    const { stdout, stderr } = this.#program;
    this.#reading = Promise.all([
      readLines(stdout, (line) => {
        this.#lines.push(line);
        this.#firstLine.resolve();
      }).finally(() => this.#firstLine.resolve()),
      readLines(stderr, (line) => this.problems.add(line)),
    ]).then(() => {});
    this.#reading.catch(() => {});
  }

  /**
   * Passes on bytes of the archive.
   *
   * @throws {Error} when the program has ended, with its reason
   */
  async write(data: Uint8Array): Promise<void> {
    try {
      await this.#program.write(data);
    } catch {
      throw await this.#failure();
    }
  }

  /**
   * Ends the archive, compares its digest with that of the sender, and lets the files appear.
   *
   * @returns the path of the copy
   * @throws {Error} when the digests differ, or the program failed
   */
  async finish(sha256: string): Promise<string> {
    await this.#program.endInput();
    await this.#firstLine.promise;
    const [digest] = this.#lines;
    if (digest === undefined) throw await this.#failure();
    if (digest !== sha256) throw new Error(`The copy was altered on its way: its SHA-256 is ${digest}, not ${sha256}`);
    this.#program.kill(CONFIRMATION);
    await this.#reading;
    if (await this.#program.ended !== 0) throw await this.#failure();
    this.#isOver = true;
    return this.#lines[1] ?? this.#destination;
  }

  /** Ends the program if it runs. It removes what it has unpacked. */
  async cancel(): Promise<void> {
    if (this.#isOver) return;
    this.#program.kill("SIGTERM");
    await this.#program.endInput();
    await this.#program.ended;
    await this.#reading.catch(() => {});
  }

  async #failure(): Promise<Error> {
    const code = await this.#program.ended;
    await this.#reading;
    this.#isOver = true;
    const reason = this.problems.toString() || `the program sh ended with code ${code}`;
    return new Error(`Cannot copy to "${this.#destination}": ${reason}`);
  }
}

/** Reads a program's output to its end. */
export async function readLines(file: LocalProgram["stdout"], onLine: (line: string) => void): Promise<void> {
  const lines = new TextLines(onLine);
  const buffer = new Uint8Array(4_096);
  for (let count = await file.read(buffer); count !== null; count = await file.read(buffer)) {
    lines.add(buffer.subarray(0, count));
  }
  lines.end();
}
