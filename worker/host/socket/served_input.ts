/** The input of a job at the host's end of a link. It asks for a chunk when the job has taken the last one. */
import type { InputChunk } from "../../process/stdin.ts";

/** The chunks of one call that writes an input. */
export class ServedInput implements AsyncIterable<InputChunk>, AsyncIterator<InputChunk> {
  readonly #request: () => void;
  readonly #abort = new AbortController();
  #next: PromiseWithResolvers<IteratorResult<InputChunk>> | undefined;

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

  next(): Promise<IteratorResult<InputChunk>> {
    this.#next = Promise.withResolvers();
    this.#request();
    return this.#next.promise;
  }
}
