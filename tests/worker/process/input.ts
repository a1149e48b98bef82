/** Helpers for tests that write to the input of jobs. */
import assert from "node:assert/strict";
import type { InputChunk, JobStatus, Supervisor } from "../../../mod.ts";
import { MAX_INPUT_CHUNK_BYTES } from "../../../worker/process/stdin.ts";

export const encoder = new TextEncoder();

/** More bytes than a pipe holds: 64 KiB by default; pipe(7). */
export const MORE_THAN_A_PIPE = new Uint8Array(MAX_INPUT_CHUNK_BYTES);

/** Yields chunks of text; `end` yields the end of the input. */
export async function* texts(...chunks: string[]): AsyncGenerator<InputChunk> {
  for (const chunk of chunks) yield chunk === "end" ? { end: true } : { data: encoder.encode(chunk) };
}

/** Yields chunks that the test gives, and reports when a chunk is requested and when the iteration ends. */
export class Source implements AsyncIterable<InputChunk>, AsyncIterator<InputChunk> {
  readonly left = Promise.withResolvers<void>();
  #asked = Promise.withResolvers<PromiseWithResolvers<IteratorResult<InputChunk>>>();

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<InputChunk>> {
    const answer = Promise.withResolvers<IteratorResult<InputChunk>>();
    this.#asked.resolve(answer);
    return answer.promise;
  }

  return(): Promise<IteratorResult<InputChunk>> {
    this.left.resolve();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Resolves when the next chunk is requested: the pipe has the previous one. */
  async asked(): Promise<void> {
    await this.#asked.promise;
  }

  async give(chunk: InputChunk | string): Promise<void> {
    const { resolve } = await this.#asked.promise;
    this.#asked = Promise.withResolvers();
    resolve({ done: false, value: typeof chunk === "string" ? { data: encoder.encode(chunk) } : chunk });
  }
}

export async function started(supervisor: Supervisor, script: string): Promise<string> {
  const id = await supervisor.add("sh", ["-c", script], { input: true });
  await supervisor.start(id);
  return id;
}

export async function outputOf(supervisor: Supervisor, id: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of supervisor.watchOutput(id)) chunks.push(chunk.data);
  return await new Blob(chunks as Uint8Array<ArrayBuffer>[]).text();
}

export async function ended(supervisor: Supervisor, id: string): Promise<JobStatus> {
  let last: JobStatus | undefined;
  for await (const status of supervisor.watchStatus(id)) last = status;
  assert.ok(last);
  return last;
}
