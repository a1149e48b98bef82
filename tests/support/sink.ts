/** The output of a process in memory, with a wait for what it writes. */
import type { Stream } from "../../worker/output/frame.ts";
import type { OutputSink } from "../../worker/process/pump.ts";
import { GrowingText } from "./growing_text.ts";

/** Keeps both streams as text. */
export class Sink implements OutputSink {
  readonly #streams: Record<Stream, GrowingText> = { stdout: new GrowingText(), stderr: new GrowingText() };

  /** The text of each stream so far. */
  get text(): Readonly<Record<Stream, string>> {
    return { stdout: this.#streams.stdout.text, stderr: this.#streams.stderr.text };
  }

  append(stream: Stream, chunk: Uint8Array): Promise<void> {
    this.#streams[stream].append(new TextDecoder().decode(chunk));
    return Promise.resolve();
  }

  /** Waits until stdout holds a text. */
  async has(text: string): Promise<void> {
    await this.#streams.stdout.until(text);
  }

  /** Waits until stdout has a number of complete lines, and gives all its complete lines. */
  async lines(count: number): Promise<string[]> {
    const complete = () => this.#streams.stdout.text.split("\n").slice(0, -1);
    await this.#streams.stdout.when(() => complete().length >= count, `${count} lines`);
    return complete();
  }
}
