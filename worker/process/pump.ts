/** What a process writes, handed on: read as fast as it is taken, to the end. */
import type { Launch } from "../launch/launcher.ts";
import type { Stream } from "../output/frame.ts";

/**
 * A process that got away from its job unseen may hold the output's pipe open for ever; what the job itself wrote is in
 * the pipe when it ends (64 KiB at most by default, pipe(7)) and read long before this.
 */
const DRAIN_MS = 2_000;

/** Bytes read at a time: a quiet job holds little, a busy one reads all that a pipe holds, 64 KiB by default; pipe(7). */
const MIN_READ_BYTES = 8_192;
const MAX_READ_BYTES = 65_536;

/** Where a process's output goes. A sink that is slow to resolve holds up the process: back-pressure. */
export interface OutputSink {
  /**
   * Takes a chunk, which it must copy: once the promise is settled, the chunk's memory is used again.
   *
   * @param ended aborts when the process is gone: what waits for its sake need not wait any longer
   */
  append(stream: Stream, chunk: Uint8Array, ended: AbortSignal): Promise<void>;
  /** Resolves with the reason once nothing is taken any more: the process is then stopped. */
  readonly refused?: Promise<Error>;
}

/** A pipe that is being read. */
export interface Pump {
  /** Resolves at the pipe's end, with everything handed on. */
  readonly ended: Promise<void>;
  /** Reads no further. */
  cancel(): Promise<void>;
}

/**
 * Reads a pipe and hands on what comes.
 *
 * @param gone aborts when the process is gone
 * @param output where it goes; discarded where absent
 * @param launch of the launcher, where the pipe is its standard error: what it must pass first
 */
export function pump(
  stream: Stream,
  source: ReadableStream<Uint8Array>,
  gone: AbortSignal,
  output?: OutputSink,
  launch?: Launch,
): Pump {
  const reader = source.getReader({ mode: "byob" });
  const hand = async (chunk: Uint8Array | undefined) => {
    // Where the sink refuses, reading goes on, or the process would hang in write(2) and hear no SIGTERM.
    try {
      if (chunk !== undefined) await output?.append(stream, chunk, gone);
    } catch {
      // `refused` tells why, where there is a reason to stop.
    }
  };
  const run = async () => {
    // Few jobs write much: a buffer grows with what comes.
    let buffer = new Uint8Array(MIN_READ_BYTES);
    while (true) {
      const { done, value } = await reader.read(buffer);
      if (done) return await hand(launch?.rest());
      await hand(launch === undefined ? value : launch.pass(value));
      const full = value.length === value.buffer.byteLength && value.length < MAX_READ_BYTES;
      buffer = full ? new Uint8Array(value.length * 2) : new Uint8Array(value.buffer);
    }
  };
  return { ended: run(), cancel: () => reader.cancel() };
}

/** Reads pipes to their end, of a process that is gone; what somebody else holds open is left after a while. */
export async function drain(pumps: readonly Pump[]): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLong = new Promise<"too long">((resolve) => timer = setTimeout(() => resolve("too long"), DRAIN_MS));
  const ended = Promise.all(pumps.map((pump) => pump.ended));
  const outcome = await Promise.race([ended, tooLong]);
  clearTimeout(timer);
  if (outcome === "too long") {
    await Promise.all(pumps.map((pump) => pump.cancel()));
    await ended;
  }
}
