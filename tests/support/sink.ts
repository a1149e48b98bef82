/** Keeps what a process writes, and lets a test wait for it. */
import type { Stream } from "../../worker/output/frame.ts";
import type { OutputSink } from "../../worker/process/pump.ts";

/** An output in memory, as text. */
export class Sink implements OutputSink {
  readonly text: Record<Stream, string> = { stdout: "", stderr: "" };
  #wake = Promise.withResolvers<void>();

  append(stream: Stream, chunk: Uint8Array): Promise<void> {
    this.text[stream] += new TextDecoder().decode(chunk);
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
    return Promise.resolve();
  }

  /** Resolves once this stands somewhere in stdout. */
  async has(text: string): Promise<void> {
    while (!this.text.stdout.includes(text)) await this.#wake.promise;
  }

  /** The lines of stdout that are whole, once there are so many. */
  async lines(count: number): Promise<string[]> {
    while (this.text.stdout.split("\n").length <= count) await this.#wake.promise;
    return this.text.stdout.split("\n").slice(0, -1);
  }
}
