/** Helpers for tests that write to the input of jobs. */
import assert from "node:assert/strict";
import type { InputPiece, JobStatus, Supervisor } from "../../../mod.ts";
import { MAX_INPUT_PIECE_BYTES } from "../../../worker/process/stdin.ts";

export const encoder = new TextEncoder();

/** More bytes than a pipe holds: 64 KiB by default; pipe(7). */
export const MORE_THAN_A_PIPE = new Uint8Array(MAX_INPUT_PIECE_BYTES);

/** Yields pieces of text; `end` yields the end of the input. */
export async function* texts(...pieces: string[]): AsyncGenerator<InputPiece> {
  for (const piece of pieces) yield piece === "end" ? { end: true } : { data: encoder.encode(piece) };
}

/** Yields pieces that the test gives, and reports when a piece is requested and when the iteration ends. */
export class Source implements AsyncIterable<InputPiece>, AsyncIterator<InputPiece> {
  readonly left = Promise.withResolvers<void>();
  #asked = Promise.withResolvers<PromiseWithResolvers<IteratorResult<InputPiece>>>();

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<InputPiece>> {
    const answer = Promise.withResolvers<IteratorResult<InputPiece>>();
    this.#asked.resolve(answer);
    return answer.promise;
  }

  return(): Promise<IteratorResult<InputPiece>> {
    this.left.resolve();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Resolves when the next piece is requested: the pipe has the previous one. */
  async asked(): Promise<void> {
    await this.#asked.promise;
  }

  async give(piece: InputPiece | string): Promise<void> {
    const { resolve } = await this.#asked.promise;
    this.#asked = Promise.withResolvers();
    resolve({ done: false, value: typeof piece === "string" ? { data: encoder.encode(piece) } : piece });
  }
}

export async function started(supervisor: Supervisor, script: string): Promise<string> {
  const id = await supervisor.add("sh", ["-c", script], { input: true });
  await supervisor.start(id);
  return id;
}

export async function outputOf(supervisor: Supervisor, id: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const piece of supervisor.watchOutput(id)) chunks.push(piece.data);
  return await new Blob(chunks as Uint8Array<ArrayBuffer>[]).text();
}

export async function ended(supervisor: Supervisor, id: string): Promise<JobStatus> {
  let last: JobStatus | undefined;
  for await (const status of supervisor.watchStatus(id)) last = status;
  assert.ok(last);
  return last;
}
