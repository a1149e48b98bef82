/** The input of a job at the server's end of a link: it sends a chunk each time the host asks for one. */
import type { InputChunk, InputOptions } from "../../process/stdin.ts";

/** How a call that writes an input sends its messages. */
export interface SentInputMessages {
  chunk(chunk: InputChunk): void;
  /** Reports that the last chunk was sent. */
  done(): void;
  abort(): void;
}

/** The chunks of one call that writes an input. */
export class SentInput {
  readonly #iterator: AsyncIterator<InputChunk>;
  readonly #messages: SentInputMessages;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = () => this.#messages.abort();
  #error: { readonly thrown: unknown } | undefined;
  #isOver = false;

  constructor(chunks: AsyncIterable<InputChunk>, { signal }: InputOptions, messages: SentInputMessages) {
    this.#iterator = chunks[Symbol.asyncIterator]();
    this.#messages = messages;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Sends the next chunk, when the caller has one. An error of the caller ends the call. */
  async sendNext(): Promise<void> {
    try {
      const step = await this.#iterator.next();
      if (this.#isOver) return;
      if (step.done) this.#messages.done();
      else this.#messages.chunk(step.value);
    } catch (thrown) {
      this.#error ??= { thrown };
      this.#messages.abort();
    }
  }

  /** Ends the call. The caller gets its own error, or the reason of its signal, rather than the answer of the host. */
  over(error: unknown): unknown {
    this.#isOver = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    // The iterator may itself wait for a chunk that never comes.
    Promise.resolve(this.#iterator.return?.()).catch(() => {});
    if (this.#error !== undefined) return this.#error.thrown;
    return this.#signal?.aborted ? this.#signal.reason : error;
  }
}
