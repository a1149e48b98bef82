/** A text that grows while a test waits for a part of it: the log of a server, or the output of a command. */
import { deadline } from "./deadline.ts";

/** A text with a wait for what it will hold. */
export class GrowingText {
  #text = "";
  #isOver = false;
  #changed = Promise.withResolvers<void>();

  /** The text that has come so far. */
  get text(): string {
    return this.#text;
  }

  append(text: string): void {
    this.#text += text;
    this.#wake();
  }

  /** Marks the end of the text, so that waits for more fail. */
  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  /**
   * Waits until the text holds the wanted part.
   *
   * @param wanted a part of the text, or an expression
   * @returns the whole text at that moment
   * @throws {Error} when the text ends before, or does not hold it within the deadline
   */
  async until(wanted: string | RegExp): Promise<string> {
    const isThere = typeof wanted === "string" ? () => this.#text.includes(wanted) : () => wanted.test(this.#text);
    await this.when(isThere, typeof wanted === "string" ? JSON.stringify(wanted) : String(wanted));
    return this.#text;
  }

  /**
   * Waits until a condition on the text holds.
   *
   * @param what the awaited state, for the error text
   * @param ms the deadline in milliseconds
   */
  async when(holds: () => boolean, what: string, ms?: number): Promise<void> {
    const wait = async () => {
      while (!holds()) {
        if (this.#isOver) throw new Error(`The text ended before ${what}: ${this.#text}`);
        await this.#changed.promise;
      }
    };
    await deadline(wait(), () => `${what} in: ${this.#text}`, ms);
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** A stream whose text grows as it is read. */
export interface ReadText {
  readonly growing: GrowingText;
  /** Resolves at the end of the stream. */
  readonly ended: Promise<void>;
}

/** Reads a stream to its end, so that its writer never waits. */
export function readText(stream: ReadableStream<Uint8Array<ArrayBuffer>>): ReadText {
  const growing = new GrowingText();
  const read = async () => {
    try {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) growing.append(text);
    } finally {
      growing.end();
    }
  };
  return { growing, ended: read() };
}
