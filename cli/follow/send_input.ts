/** Sends a stream of bytes to a job's input, through outages of the server, each byte exactly once. */
import type { JobWorkerClient, Sent } from "../../proto/service.ts";
import type { InputRequest, InputResponse } from "../../proto/teleport/v1/job_worker.ts";
import { CALL_DEADLINE_MS } from "../context.ts";
import type { InputFile } from "../io.ts";
import type { Outages } from "./outage.ts";

/** Read at a time: what a pipe holds; pipe(7). */
const PIECE_BYTES = 65_536;

/**
 * Sent in one call, whose answer says that the server has it. Until then it is kept, for a cut connection may have lost all
 * of it. Large enough that the way there and back for each call hardly counts.
 */
const MAX_CALL_BYTES = 8 * 1024 * 1024;
const MAX_CALL_PIECES = 1_024;

/** Where the input goes. */
export interface SendInputOptions {
  /** The job. */
  readonly id: string;
  /** How many bytes its input has already. */
  readonly offset: number;
  /** Whether the end of what is read ends the job's input. */
  readonly ends: boolean;
  readonly outages: Outages;
  /** Ends the sending; what is not known to have arrived may have. */
  readonly signal?: AbortSignal;
  /** Called at once when the file cannot be read to its end: the job may end before the last call is answered. */
  readonly onReadError?: (error: Error) => void;
}

/** What became of it. */
export interface SentInput {
  /** Bytes of the job's input in all. */
  readonly inputBytes: number;
  readonly isClosed: boolean;
  /** False when the job ended or closed its input before it had all that was read. */
  readonly isWhole: boolean;
  /** Why the file could not be read to its end. What was read before was sent. */
  readonly readError?: Error;
}

/**
 * Reads the file as fast as the job reads, and sends it. After an outage it goes on where the server was: the server knows
 * this writer by a name of its own and passes over what it took before. A read error
 * ends the input there, as in a pipeline of a shell.
 *
 * @throws what a call fails with where waiting does not help
 */
export async function sendInput(
  calls: Pick<JobWorkerClient, "Input" | "Status">,
  file: InputFile,
  options: SendInputOptions,
): Promise<SentInput> {
  const { id, outages, signal } = options;
  const source = new Source(file, options.offset, options.onReadError);
  const first = { id, writer: crypto.randomUUID() };
  while (true) {
    try {
      const answer = await calls.Input(source.messages(first, options.ends), { ...(signal && { signal }) });
      await outages.answered();
      if (answer.input_closed || source.isSent) return sentInput(answer, source);
      if (answer.input_bytes !== source.end) {
        throw new Error(`The server took input up to byte ${answer.input_bytes}, it was sent up to byte ${source.end}`);
      }
      source.arrived(answer.input_bytes);
    } catch (error) {
      source.cut();
      await outages.wait(error, signal);
      const over = await afterOutage(calls, options, source);
      if (over !== undefined) return over;
    }
  }
}

/** Asks how the input is: the call that was cut may have been its last, or the job has ended meanwhile. */
async function afterOutage(
  calls: Pick<JobWorkerClient, "Status">,
  { id, outages, signal }: SendInputOptions,
  source: Source,
): Promise<SentInput | undefined> {
  while (true) {
    try {
      const status = await calls.Status({ id }, { ...(signal && { signal }), deadlineMs: CALL_DEADLINE_MS });
      await outages.answered(source.arrived(status.input_bytes));
      return status.input_closed ? sentInput(status, source) : undefined;
    } catch (error) {
      await outages.wait(error, signal);
    }
  }
}

function sentInput(
  { input_bytes: inputBytes, input_closed: isClosed }: Pick<InputResponse, "input_bytes" | "input_closed">,
  source: Source,
): SentInput {
  return {
    inputBytes,
    isClosed,
    isWhole: inputBytes === source.end,
    ...(source.readError && { readError: source.readError }),
  };
}

/** What is read, kept until the server is known to have it. */
class Source {
  readonly #file: InputFile;
  /** Where in the job's input the kept pieces begin. */
  #begin: number;
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  /** Under way; a call that is cut leaves it to the next. */
  #reading: Promise<Uint8Array | undefined> | undefined;
  /** The messages of the call that is under way; those of an earlier one take nothing any more. */
  #current: object | undefined;
  #isRead = false;
  #isSent = false;
  #readError: Error | undefined;
  readonly #onReadError: ((error: Error) => void) | undefined;

  constructor(file: InputFile, begin: number, onReadError?: (error: Error) => void) {
    this.#file = file;
    this.#begin = begin;
    this.#onReadError = onReadError;
  }

  /** True when the last call sent all that was to be sent. */
  get isSent(): boolean {
    return this.#isSent;
  }

  /** Why the file has no more; undefined where that was its end. */
  get readError(): Error | undefined {
    return this.#readError;
  }

  /** The place in the job's input behind all that was read. */
  get end(): number {
    return this.#begin + this.#keptBytes;
  }

  /** The messages of one call: what is kept, and what is read until it is enough for a call. */
  async *messages(first: Sent<InputRequest>, ends: boolean): AsyncGenerator<Sent<InputRequest>, void, void> {
    const self = this.#current = {};
    yield { ...first, offset: this.#begin };
    for (const data of [...this.#kept]) yield { data };
    while (!this.#isRead && this.#keptBytes < MAX_CALL_BYTES && this.#kept.length < MAX_CALL_PIECES) {
      const data = await (this.#reading ??= this.#read());
      if (this.#current !== self) return;
      this.#reading = undefined;
      if (data === undefined) {
        this.#isRead = true;
        break;
      }
      this.#kept.push(data);
      this.#keptBytes += data.length;
      yield { data };
    }
    this.#isSent = this.#isRead;
    if (this.#isRead && ends) yield { end: true };
  }

  /**
   * The server has all up to this place in the input: no need to keep it. It may be taking more at this moment, from a call
   * that is cut without its knowing; what is sent again of that, it passes over.
   *
   * @returns whether that is more than was known
   */
  arrived(inputBytes: number): boolean {
    const hasGrown = inputBytes > this.#begin;
    while (this.#kept[0] !== undefined && this.#begin < inputBytes) {
      const arrived = this.#kept[0].subarray(0, inputBytes - this.#begin);
      this.#begin += arrived.length;
      this.#keptBytes -= arrived.length;
      if (arrived.length === this.#kept[0].length) this.#kept.shift();
      else this.#kept[0] = this.#kept[0].subarray(arrived.length);
    }
    return hasGrown;
  }

  /** The call is over, and what of it arrived is not known. */
  cut(): void {
    this.#current = undefined;
    this.#isSent = false;
  }

  async #read(): Promise<Uint8Array | undefined> {
    const buffer = new Uint8Array(PIECE_BYTES);
    try {
      const count = await this.#file.read(buffer);
      // Of a line typed by hand, no more is kept than it has.
      return count === null ? undefined : count < PIECE_BYTES ? buffer.slice(0, count) : buffer;
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      this.#readError = new Error(`Cannot read the standard input: ${message}`, { cause });
      this.#onReadError?.(this.#readError);
      return undefined;
    }
  }
}
