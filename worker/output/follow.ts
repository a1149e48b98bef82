/** Reads a log at the pace of its consumer: first the existing output, then new output. One loop does both. */
import { MAX_TIMER_MS } from "../../base/timers.ts";
import { InvalidArgumentError } from "../errors.ts";
import { loopTurn } from "../loop_turns.ts";
import { giveBlockMemory, takeBlockMemory } from "./block_memory.ts";
import type { OutputChunk } from "./chunk.ts";
import { LOG_START, type LogPosition } from "./cursor.ts";
import type { Stream } from "./frame.ts";
import type { ReadableLog } from "./readable_log.ts";
import { firstSince, lastBytes, lastLines, type StartPoint } from "./seek.ts";

/**
 * The output to watch, in the order in which it was read from the job. `since` and `until` use the system clock. When
 * the clock was set back, they select one range that leaves out nothing.
 */
export interface OutputSelection {
  /** Continues after the chunk that had this cursor. Absent: starts at the first byte. */
  readonly cursor?: string;
  /** False to end after the output that exists at the call. True by default. */
  readonly follow?: boolean;
  /** Selects one stream. Absent: both. */
  readonly stream?: Stream;
  /** Starts at the last lines of the output that exists at the call. A newline or the end ends a line. */
  readonly tailLines?: number;
  /** Starts at the last bytes of the output that exists at the call. */
  readonly tailBytes?: number;
  /** Starts after the last output that was read from the job before this time. */
  readonly since?: Date;
  /** Ends after the last output that was read from the job at this time or before. */
  readonly until?: Date;
  /** True to get each read from the job as a chunk of its own, with its own time. */
  readonly exact?: boolean;
  /**
   * True to begin with an empty chunk whose cursor is the start of the watch, so that a client can resume before the
   * first byte. When the watch starts inside a frame, output comes at once instead.
   */
  readonly startCursor?: boolean;
  /**
   * True when the data of a chunk is not used after the next one is requested. Its memory may then be used again. False
   * by default.
   */
  readonly reusesMemory?: boolean;
}

/** @throws {InvalidArgumentError} when a number or a time is out of range, or two values exclude each other */
function checkSelection(selection: OutputSelection): void {
  for (const [name, count] of [["lines", selection.tailLines], ["bytes", selection.tailBytes]] as const) {
    if (count !== undefined && (!Number.isSafeInteger(count) || count < 0)) {
      throw new InvalidArgumentError(
        `The number of last ${name} must be an integer from 0 to ${Number.MAX_SAFE_INTEGER}, got ${count}`,
      );
    }
  }
  for (const [name, time] of [["since", selection.since], ["until", selection.until]] as const) {
    if (time !== undefined && Number.isNaN(time.getTime())) {
      throw new InvalidArgumentError(`'${name}' must be a valid Date, got ${time}`);
    }
  }
  const starts = [selection.cursor, selection.tailLines, selection.tailBytes].filter((start) => start !== undefined);
  if (starts.length > 1) {
    throw new InvalidArgumentError("A cursor, last lines and last bytes exclude each other: give one of them");
  }
}

/**
 * Yields the selected chunks of a log. It holds one block of the log at a time, and waits for growth at the end.
 *
 * This is one generator, because a thousand readers wake at every line, and a nested generator would add promises to
 * each of them.
 *
 * @param existingEnd returns the end of the existing output; called once the reader has begun
 * @param conclude creates the return value from the cursor after all examined output; `isCut` is true when `until`
 * ended the watch
 */
export async function* readOutput<End>(
  log: ReadableLog,
  selection: OutputSelection,
  existingEnd: () => LogPosition,
  signal: AbortSignal,
  conclude: (cursor: string, isCut: boolean) => End | Promise<End>,
): AsyncGenerator<OutputChunk, End, void> {
  checkSelection(selection);
  const { reader } = log;
  try {
    await log.retain(signal);
    const existing = existingEnd();
    const { stream } = selection;
    const untilMs = selection.until?.getTime() ?? Infinity;
    let isCut = isPast(untilMs);
    const last = isCut ? await firstSince(reader, untilMs + 1, existing, signal) : existing;
    const first = await startPoint(log, selection, last, signal);
    let at = first.position;
    let { skipBytes } = first;
    let stop = (selection.follow ?? true) && !isCut ? undefined : last.position;
    if (selection.startCursor && skipBytes === 0) yield emptyChunk(log, at, "stdout", 0);
    while (true) {
      signal.throwIfAborted();
      // The start may move while the consumer has a chunk, so it is read once for the report and for the jump.
      const { start } = log;
      if (at.position < start.position) {
        for (const chunk of droppedChunks(log, at, start)) {
          if (stream === undefined || stream === chunk.stream) yield chunk;
        }
        at = start;
        skipBytes = 0;
      }
      const readable = stop ?? log.end.position;
      if (stop === undefined && isPast(untilMs)) {
        await reader.open();
        stop = (await firstSince(reader, untilMs + 1, log.end, signal)).position;
        isCut = true;
      } else if (at.position < readable) {
        // Readers at one position share a read, whose memory none of them owns.
        const memory = selection.reusesMemory && reader.count === 1 ? takeBlockMemory() : undefined;
        const read = reader.read(at, readable, selection.exact ?? false, memory);
        const block = read instanceof Promise ? await read : read;
        if (block === undefined) continue; // The log starts later now.
        let hasYielded = false;
        at = block.next;
        for (const chunk of block.chunks) {
          if (stream !== undefined && stream !== chunk.stream) continue;
          hasYielded = true;
          yield skipBytes === 0 ? chunk : withoutFirst(chunk, skipBytes);
          skipBytes = 0;
          signal.throwIfAborted();
        }
        if (memory !== undefined) giveBlockMemory(memory);
        // Otherwise gigabytes of the other stream would block the event loop.
        if (!hasYielded) await loopTurn();
      } else if (stop !== undefined || log.isSealed) return await conclude(reader.cursorAt(at), isCut);
      else if (untilMs === Infinity) await log.waitForGrowth(at.position, signal);
      else await growthOrTime(log, at.position, untilMs, signal);
    }
  } finally {
    await log.release();
  }
}

function isPast(timeMs: number): boolean {
  return timeMs !== Infinity && Date.now() > timeMs;
}

async function startPoint(
  { reader }: ReadableLog,
  selection: OutputSelection,
  end: LogPosition,
  signal: AbortSignal,
): Promise<StartPoint> {
  const { cursor, since, stream, tailBytes, tailLines } = selection;
  const given = cursor === undefined ? LOG_START : reader.resolve(cursor);
  const start = since === undefined ? given : later(given, await firstSince(reader, since.getTime(), end, signal));
  if (tailLines !== undefined) return await lastLines(reader, tailLines, { start, end, stream, signal });
  if (tailBytes !== undefined) return await lastBytes(reader, tailBytes, { start, end, stream, signal });
  return { position: start, skipBytes: 0 };
}

function later(a: LogPosition, b: LogPosition): LogPosition {
  return a.position > b.position ? a : b;
}

/** Resolves when the log grows, or when a time has passed. */
async function growthOrTime(log: ReadableLog, position: number, untilMs: number, signal: AbortSignal): Promise<void> {
  // AbortSignal.timeout() would leave one timer for each growth of the log.
  const past = new AbortController();
  const leftMs = Math.max(0, Math.min(untilMs + 1 - Date.now(), MAX_TIMER_MS));
  const timer = setTimeout(() => past.abort(), leftMs);
  try {
    await log.waitForGrowth(position, AbortSignal.any([signal, past.signal]));
  } catch (error) {
    if (!past.signal.aborted || signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Returns a chunk without data, for its cursor or its dropped bytes. */
function emptyChunk(log: ReadableLog, position: LogPosition, stream: Stream, droppedBytes: number): OutputChunk {
  return {
    stream,
    data: new Uint8Array(),
    offset: position.offsets[stream],
    time: new Date(),
    clockWentBack: false,
    cursor: log.reader.cursorAt(position),
    droppedBytes,
  };
}

/** Returns chunks that report the bytes dropped between a position and the start of the log. */
function droppedChunks(log: ReadableLog, at: LogPosition, start: LogPosition): OutputChunk[] {
  return (["stdout", "stderr"] as const).flatMap((stream) => {
    const droppedBytes = start.offsets[stream] - at.offsets[stream];
    return droppedBytes > 0 ? [emptyChunk(log, start, stream, droppedBytes)] : [];
  });
}

function withoutFirst(chunk: OutputChunk, skipBytes: number): OutputChunk {
  return { ...chunk, data: chunk.data.subarray(skipBytes), offset: chunk.offset + skipBytes };
}
