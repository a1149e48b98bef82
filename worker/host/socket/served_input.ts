/**
 * The input of a job at the host's end of a link. It asks for the next chunk when one has arrived. So the next one is on
 * its way while the job takes the last one.
 */
import type { InputChunk } from "../../process/stdin.ts";

/** The memory of a smaller chunk is collected soon. */
const MIN_FREED_BYTES = 16_384;

/** The chunks of one call that writes an input. */
export class ServedInput implements AsyncIterable<InputChunk>, AsyncIterator<InputChunk> {
  readonly #request: () => void;
  readonly #abort = new AbortController();
  #next: PromiseWithResolvers<IteratorResult<InputChunk>> | undefined;
  /** The chunk that the job takes. */
  #chunk: Uint8Array<ArrayBuffer> | undefined;
  /** The chunk that the job has not asked for. */
  #ahead: Promise<IteratorResult<InputChunk>> | undefined;

  /** @param request asks the server for the next chunk */
  constructor(request: () => void) {
    this.#request = request;
  }

  /** Aborts when the server aborts the call. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Gives the chunk that was requested. A chunk that was not requested is ignored. */
  give(chunk: IteratorResult<InputChunk>): void {
    this.#next?.resolve(chunk);
    this.#next = undefined;
  }

  /** Ends the call early. The input stays open. */
  abort(): void {
    this.#abort.abort(new Error("The server has ended the call"));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<InputChunk>> {
    // The job has taken the chunk, and V8 would collect its memory late.
    if (this.#chunk !== undefined && this.#chunk.length >= MIN_FREED_BYTES) this.#chunk.buffer.transfer(0);
    const step = await (this.#ahead ?? this.#ask());
    this.#chunk = step.done ? undefined : step.value.data as Uint8Array<ArrayBuffer> | undefined;
    this.#ahead = step.done || step.value.end ? undefined : this.#ask();
    return step;
  }

  #ask(): Promise<IteratorResult<InputChunk>> {
    this.#next = Promise.withResolvers();
    this.#request();
    return this.#next.promise;
  }
}
