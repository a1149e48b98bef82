/** Helpers of the tests of logs: temporary logs, their contents, and output to write. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { OutputChunk } from "../../../worker/output/chunk.ts";
import { type OutputSelection, readOutput } from "../../../worker/output/follow.ts";
import type { Stream } from "../../../worker/output/frame.ts";
import { OutputLog, type OutputLogOptions } from "../../../worker/output/log.ts";
import type { ReadableLog } from "../../../worker/output/readable_log.ts";
import { tempDir } from "../../support/temp_dir.ts";

/** A signal that never aborts. */
export const never: AbortSignal = new AbortController().signal;

/** Output to write: the stream and text of each chunk. */
export type Written = readonly (readonly [Stream, string])[];

/** Lines of many lengths on both streams, with control characters, and without a newline at the end. */
export const WRITTEN: Written = [
  ["stdout", "first\n"],
  ["stderr", "warning: \u0000\u0001\n"],
  ["stdout", "a\nb\nc\n\n"],
  ["stdout", `${"x".repeat(300)}\n`],
  ["stderr", "e1\ne2\n"],
  ["stdout", "no newline yet"],
  ["stdout", " and now\n"],
  ["stderr", "\n"],
  ["stdout", Array.from({ length: 60 }, (_, index) => `line ${index}\n`).join("")],
  ["stderr", "last words"],
];

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Runs a test with a temporary directory. */
export async function temporary(use: (directory: string) => Promise<void>): Promise<void> {
  await using directory = await tempDir();
  await use(directory.path);
}

/** Returns a test with a log in a temporary directory. Seals the log at the end. */
export function withLog(
  use: (log: OutputLog, directory: string) => Promise<void>,
  options: Omit<OutputLogOptions, "directory"> = {},
): () => Promise<void> {
  return () =>
    temporary(async (parent) => {
      const directory = join(parent, "job");
      const log = new OutputLog("job", { directory, ...options });
      await use(log, directory);
      if (!log.isSealed) await log.seal();
    });
}

/** Writes each chunk as one frame. */
export async function write(log: OutputLog, written: Written): Promise<void> {
  for (const [stream, text] of written) await append(log, text, stream);
}

/** Writes a text, and waits until it can be read. */
export async function append(log: OutputLog, text: string, stream: Stream = "stdout"): Promise<void> {
  await log.append(stream, encoder.encode(text));
  await log.flushed();
}

/** Reads a log from the output that exists now. */
export function reading(log: ReadableLog, selection: OutputSelection = {}): AsyncGenerator<OutputChunk, void, void> {
  return readOutput(log, selection, () => log.end, never, () => {});
}

/** Reads a log to its end. */
export async function collect(log: ReadableLog, selection: OutputSelection = {}): Promise<OutputChunk[]> {
  return await Array.fromAsync(reading(log, selection));
}

/**
 * Reads a log to its end, and counts the bytes that were read or reported as dropped. No other byte may be missing.
 *
 * @param turns the turns of the event loop that the reader waits after each chunk
 */
export async function accountedBytes(log: ReadableLog, turns: number): Promise<number> {
  let bytes = 0;
  let next = 0;
  for await (const { data, droppedBytes, offset } of reading(log)) {
    assert.equal(offset, next + droppedBytes);
    next = offset + data.length;
    bytes += data.length + droppedBytes;
    for (let count = 0; count < turns; count++) await turn();
  }
  return bytes;
}

/** Returns the text of chunks. */
export function textOf(chunks: readonly OutputChunk[]): string {
  return chunks.map(({ data }) => decoder.decode(data)).join("");
}

/** Reads the text of a log. */
export async function readText(log: OutputLog): Promise<string> {
  return textOf(await collect(log));
}

/** Returns the text that a reader should get. */
export function expected(written: Written, stream?: Stream): string {
  return written.filter(([of]) => stream === undefined || of === stream).map(([, text]) => text).join("");
}

/** Creates a log with the output `WRITTEN` that is not sealed. */
export async function live(options: OutputLogOptions): Promise<OutputLog> {
  const log = new OutputLog("job", options);
  await write(log, WRITTEN);
  return log;
}

/** Creates a sealed log with the output `WRITTEN`. */
export async function ended(options: OutputLogOptions): Promise<OutputLog> {
  const log = await live(options);
  await log.seal();
  return log;
}

/** Waits for one turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Returns the number of descriptors that this process has open below a directory. */
export function openUnder(directory: string): number {
  return [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`).startsWith(directory);
    } catch {
      return false; // The descriptor of this listing.
    }
  }).length;
}
