/** Reads the output of a process from its pipes and passes it to a sink. */
import { deadline } from "../../base/deadline.ts";
import type { StderrFilter } from "../launch/stderr_filter.ts";
import type { Stream } from "../output/frame.ts";
import { PIPE_BYTES, WIDE_PIPE_BYTES } from "./pipe_size.ts";

/**
 * How long to wait for the end of a pipe after its process ended, in turns. A process that escaped from its job may hold
 * it open forever. The job's own output is in the pipe by then, at most 256 KiB.
 *
 * There are many short turns, because a timer that is late comes before the reads that are ready. One long wait would
 * lose output on a machine that had no processor time for this process.
 */
const TURN_MS = 100;
/** The turns in which nothing comes, and the turns in all: an escaped process may write forever. */
const MAX_IDLE_TURNS = 20;
const MAX_TURNS = 100;

/** The least size of a read. A quiet job holds little memory, and a busy one empties its pipe. */
const MIN_READ_BYTES = 8_192;

/** The receiver of a process's output. A sink that resolves late slows the process down: back-pressure. */
export interface OutputSink {
  /**
   * Takes a chunk. The sink must copy it: its memory is reused once the promise is settled.
   *
   * @param ended aborts when the process is gone, so that the sink need not wait for its sake
   */
  append(stream: Stream, chunk: Uint8Array, ended: AbortSignal): Promise<void>;
  /** Resolves with the reason once the sink accepts no more: the process is then stopped. */
  readonly refused?: Promise<Error>;
}

/** A pipe that is being read. */
export interface Pump {
  /** Resolves at the end of the pipe, when the sink has everything. */
  readonly ended: Promise<void>;
  /** The bytes that were read. */
  readonly readBytes: number;
  /** True while it waits for the pipe, and not for the sink. */
  readonly isReading: boolean;
  /** Stops reading. */
  cancel(): Promise<void>;
}

/** Where the bytes of a pipe go. */
export interface PumpOptions {
  /** Aborts when the process is gone. */
  readonly gone: AbortSignal;
  /** The sink. Absent: the bytes are discarded. */
  readonly output?: OutputSink;
  /** Removes the launcher's messages from standard error. Absent: the pipe has only output. */
  readonly filter?: StderrFilter;
  /** Enlarges the pipe, once a read has emptied a full one. Absent: it keeps its size. */
  readonly widen?: () => Disposable | undefined;
}

/** Reads a pipe and passes its bytes to a sink. */
export function pump(
  stream: Stream,
  source: ReadableStream<Uint8Array>,
  { gone, output, filter, widen }: PumpOptions,
): Pump {
  const reader = source.getReader({ mode: "byob" });
  const append = async (chunk: Uint8Array | undefined) => {
    // If the sink refuses, reading continues. Otherwise the process would block in write(2) and not handle SIGTERM.
    try {
      if (chunk !== undefined) await output?.append(stream, chunk, gone);
    } catch {
      // `refused` reports the reason.
    }
  };
  let readBytes = 0;
  let isReading = false;
  const read = async (buffer: Uint8Array<ArrayBuffer>) => {
    isReading = true;
    const result = await reader.read(buffer);
    isReading = false;
    readBytes += result.value?.length ?? 0;
    return result;
  };
  const run = async () => {
    using stack = new DisposableStack();
    // Few jobs write much, so the buffer grows only with full reads.
    let buffer = new Uint8Array(MIN_READ_BYTES);
    let maxBytes = PIPE_BYTES;
    let isAsked = false;
    while (true) {
      const { done, value } = await read(buffer);
      if (done) return await append(filter?.rest());
      await append(filter === undefined ? value : filter.pass(value));
      const isFull = value.length === value.buffer.byteLength;
      if (isFull && value.length === PIPE_BYTES && !isAsked) {
        isAsked = true;
        if (stack.use(widen?.()) !== undefined) maxBytes = WIDE_PIPE_BYTES;
      }
      buffer = isFull && value.length < maxBytes ? new Uint8Array(value.length * 2) : new Uint8Array(value.buffer);
    }
  };
  return {
    ended: run(),
    get readBytes() {
      return readBytes;
    },
    get isReading() {
      return isReading;
    },
    cancel: () => reader.cancel(),
  };
}

/** Reads the pipes of an ended process to their end. Gives up after a while if another process holds one open. */
export async function drain(pumps: readonly Pump[]): Promise<void> {
  await Promise.all(pumps.map(drainOne));
}

async function drainOne(pump: Pump): Promise<void> {
  const ended = Promise.all([pump.ended]);
  const ownBytes = pump.readBytes + WIDE_PIPE_BYTES;
  let idle = 0;
  for (let turn = 0; turn < MAX_TURNS && idle < MAX_IDLE_TURNS && pump.readBytes < ownBytes; turn++) {
    const before = pump.readBytes;
    if (await deadline(ended, TURN_MS) !== undefined) return;
    idle = pump.isReading && pump.readBytes === before ? idle + 1 : 0;
  }
  await pump.cancel();
  await ended;
}
