/** The standard input of a command, kept until the server has it. */
import { errorMessage } from "../../base/error_message.ts";
import type { Sent } from "../../proto/service.ts";
import type { InputRequest } from "../../proto/teleport/v1/job_worker.ts";
import type { InputFile } from "../io.ts";

/** The size of one read, in bytes: the most data of a message. A pipe gives 64 KiB at a time; pipe(7). */
const CHUNK_BYTES = 262_144;

/**
 * The bounds of one call. The answer to a call says that the server has its data. Until then the data is kept, because a
 * lost connection may lose all of it. Large enough that the wait for each answer hardly counts: nothing is sent meanwhile.
 */
const MAX_CALL_BYTES = 32 * 1024 * 1024;
const MAX_CALL_CHUNKS = 1_024;

/** Reads a file and makes the messages of calls from it. */
export class InputSource {
  readonly #file: InputFile;
  /** The offset of the first kept byte in the job's input. */
  #begin: number;
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  /** The pending read. A call that is cut leaves it to the next call. */
  #reading: Promise<Uint8Array | undefined> | undefined;
  /** The memory for the next read. Absent when kept data has the last one. */
  #buffer: Uint8Array | undefined;
  /** The memory of data that the server has, for later reads. New memory is slow at its first use. */
  readonly #spare: Uint8Array[] = [];
  /** Identifies the messages of the current call. The messages of an earlier call read nothing. */
  #currentCall: object | undefined;
  #isAtEnd = false;
  #isSent = false;
  #readError: Error | undefined;
  readonly #onReadError: ((error: Error) => void) | undefined;

  /** @param begin the offset of the file's first byte in the job's input */
  constructor(file: InputFile, begin: number, onReadError?: (error: Error) => void) {
    this.#file = file;
    this.#begin = begin;
    this.#onReadError = onReadError;
  }

  /** True when the last call sent the rest of the file. */
  get isSent(): boolean {
    return this.#isSent;
  }

  /** The error that ended the reading. Undefined: the file was read to its end, or is still being read. */
  get readError(): Error | undefined {
    return this.#readError;
  }

  /** The offset in the job's input after everything that was read. */
  get end(): number {
    return this.#begin + this.#keptBytes;
  }

  /** Yields the messages of one call: the kept data, and new data up to the bounds of a call. */
  async *messages(first: Sent<InputRequest>, endsInput: boolean): AsyncGenerator<Sent<InputRequest>, void, void> {
    const call = this.#currentCall = {};
    yield { ...first, offset: this.#begin };
    for (const data of [...this.#kept]) yield { data };
    while (!this.#isAtEnd && this.#keptBytes < MAX_CALL_BYTES && this.#kept.length < MAX_CALL_CHUNKS) {
      const data = await (this.#reading ??= this.#read());
      if (this.#currentCall !== call) return;
      this.#reading = undefined;
      if (data === undefined) {
        this.#isAtEnd = true;
        break;
      }
      this.#kept.push(data);
      this.#keptBytes += data.length;
      yield { data };
    }
    this.#isSent = this.#isAtEnd;
    if (this.#isAtEnd && endsInput) yield { end: true };
  }

  /**
   * Releases the data before this offset, because the server has it. The server may take more at this moment, from a cut
   * call. It skips the data of that call when it is sent again.
   *
   * @returns whether the server has more than before
   */
  acknowledge(inputBytes: number): boolean {
    const hasGrown = inputBytes > this.#begin;
    while (this.#kept[0] !== undefined && this.#begin < inputBytes) {
      const arrived = this.#kept[0].subarray(0, inputBytes - this.#begin);
      this.#begin += arrived.length;
      this.#keptBytes -= arrived.length;
      if (arrived.length === this.#kept[0].length) this.#use(this.#kept.shift());
      else this.#kept[0] = this.#kept[0].subarray(arrived.length);
    }
    return hasGrown;
  }

  /** Uses the memory of released data again, when it is as long as a read. */
  #use(released: Uint8Array | undefined): void {
    if (released?.buffer.byteLength === CHUNK_BYTES) this.#spare.push(new Uint8Array(released.buffer));
  }

  /** Ends the current call. It is not known how much of its data arrived. */
  cut(): void {
    this.#currentCall = undefined;
    this.#isSent = false;
  }

  async #read(): Promise<Uint8Array | undefined> {
    const buffer = this.#buffer ??= this.#spare.pop() ?? new Uint8Array(CHUNK_BYTES);
    try {
      const count = await this.#file.read(buffer);
      if (count === null) return undefined;
      // A copy, because a typed line would keep the whole buffer in memory.
      if (count < CHUNK_BYTES) return buffer.slice(0, count);
      this.#buffer = undefined;
      return buffer;
    } catch (cause) {
      const message = errorMessage(cause);
      this.#readError = new Error(`Cannot read the standard input: ${message}`, { cause });
      this.#onReadError?.(this.#readError);
      return undefined;
    }
  }
}
