/** Reads a log at the pace of whoever iterates: what is there, then what comes. Replay and live are one loop. */
import { InvalidArgumentError } from "../errors.ts";
import { loopTurn } from "../loop_turns.ts";
import { formatCursor, LOG_START, type LogPosition } from "./cursor.ts";
import { firstSince, lastBytes, lastLines, type StartPoint } from "./seek.ts";
import type { OutputLog } from "./log.ts";
import type { OutputChunk } from "./chunk.ts";
import type { Stream } from "./frame.ts";

/** Longer timers overflow: setTimeout counts in a signed 32-bit number of milliseconds. */
const MAX_TIMER_MS = 2_147_483_647;

/**
 * Which output to watch. Output keeps its order. Times are what the clock said: one that went back, and is right now, is
 * no reason to leave output out or to end early.
 */
export interface OutputSelection {
  /** Continue right behind the piece that carried this cursor. Absent: from the first byte. */
  readonly cursor?: string;
  /** False: end after what is there at the call. True unless given. */
  readonly follow?: boolean;
  /** One stream alone. Absent: both. */
  readonly stream?: Stream;
  /** Of what is there at the call, the last lines alone: a newline ends a line, and so does the end. */
  readonly tailLines?: number;
  /** Of what is there at the call, the last bytes alone. */
  readonly tailBytes?: number;
  /** Only what is behind the last output that was read before this time. */
  readonly since?: Date;
  /** Only what is up to the last output that was read at this time or before. A watch that follows ends then. */
  readonly until?: Date;
  /** Leaves what was read from the job at once a piece of its own, so that each piece has its time. */
  readonly exact?: boolean;
  /**
   * Begins with a piece without data, whose cursor is where the watch begins: it can be resumed before the first byte.
   * There is none where the watch begins within a record, which then comes at once.
   */
  readonly startCursor?: boolean;
}

/** @throws {InvalidArgumentError} when a number is out of range, a time is none, or two of them exclude each other */
export function checkSelection(selection: OutputSelection): void {
  for (const [name, count] of [["lines", selection.tailLines], ["bytes", selection.tailBytes]] as const) {
    if (count !== undefined && (!Number.isSafeInteger(count) || count < 0)) {
      throw new InvalidArgumentError(`Invalid number of last ${name} "${count}": give a whole number from 0`);
    }
  }
  for (const time of [selection.since, selection.until]) {
    if (time !== undefined && Number.isNaN(time.getTime())) {
      throw new InvalidArgumentError(`Invalid time "${time}": give a moment`);
    }
  }
  const starts = [selection.cursor, selection.tailLines, selection.tailBytes].filter((start) => start !== undefined);
  if (starts.length > 1) {
    throw new InvalidArgumentError("A cursor, last lines and last bytes exclude each other: give one of them");
  }
}

/**
 * Yields the selected pieces of a log. It holds one block of the log at a time; while nothing new is there it waits for
 * the log to grow.
 *
 * One generator and not several, one inside the other: a thousand readers wake at every line, and each level costs all of
 * them promises.
 *
 * @param seen the log's end at the moment of the call: what is "there" then
 * @param conclude makes what the generator returns: of the cursor that continues behind all it looked through, and of
 * whether `until` ended the watch, and not the end of the output
 */
export async function* readOutput<End>(
  log: OutputLog,
  selection: OutputSelection,
  seen: LogPosition,
  signal: AbortSignal,
  conclude: (cursor: string, isCut: boolean) => End | Promise<End>,
): AsyncGenerator<OutputChunk, End, void> {
  checkSelection(selection);
  try {
    await log.retain();
    const { stream } = selection;
    const untilMs = selection.until?.getTime() ?? Infinity;
    const isPast = () => Date.now() > untilMs;
    let isCut = isPast();
    const last = isCut ? await firstSince(log, untilMs + 1, seen, signal) : seen;
    let { place: at, skipBytes: skip } = await beginning(log, selection, last, signal);
    let stop = (selection.follow ?? true) && !isCut ? undefined : last.position;
    if (selection.startCursor && skip === 0) yield emptyPiece(log, at);
    while (true) {
      signal.throwIfAborted();
      // It may move on while a piece is out: what is told as missing must end where reading goes on.
      const { start } = log;
      if (at.position < start.position) {
        for (const piece of droppedPieces(log, at, start)) {
          if (stream === undefined || stream === piece.stream) yield piece;
        }
        at = start;
        skip = 0;
      }
      const readable = stop ?? log.end.position;
      if (stop === undefined && isPast()) {
        stop = (await firstSince(log, untilMs + 1, log.end, signal)).position;
        isCut = true;
      } else if (at.position < readable) {
        const block = await log.read(at, readable, selection.exact ?? false);
        if (block === undefined) continue; // Dropped meanwhile: the log starts later now.
        let isGiven = false;
        at = block.next;
        for (const piece of block.chunks) {
          if (stream !== undefined && stream !== piece.stream) continue;
          isGiven = true;
          yield skip === 0 ? piece : without(piece, skip);
          skip = 0;
          signal.throwIfAborted();
        }
        // Gigabytes of the other stream are passed over without waiting for anything.
        if (!isGiven) await loopTurn();
      } else if (stop !== undefined || log.isSealed) return await conclude(cursorAt(log, at), isCut);
      else if (untilMs === Infinity) await log.waitForGrowth(at.position, signal);
      else await grownOrPast(log, at.position, untilMs, signal);
    }
  } finally {
    await log.release();
  }
}

async function beginning(
  log: OutputLog,
  selection: OutputSelection,
  end: LogPosition,
  signal: AbortSignal,
): Promise<StartPoint> {
  const { cursor, since, stream, tailBytes, tailLines } = selection;
  const given = cursor === undefined ? LOG_START : log.resolve(cursor);
  const start = since === undefined ? given : later(given, await firstSince(log, since.getTime(), end, signal));
  if (tailLines !== undefined) return await lastLines(log, tailLines, stream, start, end, signal);
  if (tailBytes !== undefined) return await lastBytes(log, tailBytes, stream, start, end, signal);
  return { place: start, skipBytes: 0 };
}

function later(a: LogPosition, b: LogPosition): LogPosition {
  return a.position > b.position ? a : b;
}

function cursorAt(log: OutputLog, place: LogPosition): string {
  return formatCursor(log.segments.identity, place);
}

/** Waits for the log to grow, or for `untilMs` to pass. */
async function grownOrPast(log: OutputLog, position: number, untilMs: number, signal: AbortSignal): Promise<void> {
  // Not AbortSignal.timeout(): its timer could not be given back, and there is one for every growth of the log.
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

/** A piece without data, for its cursor. */
function emptyPiece(log: OutputLog, place: LogPosition): OutputChunk {
  const offset = place.offsets.stdout;
  const cursor = cursorAt(log, place);
  const none = { data: new Uint8Array(), clockWentBack: false, droppedBytes: 0 };
  return { stream: "stdout", offset, time: new Date(), cursor, ...none };
}

/** Says how much is missing between a place and where the log starts by now. */
function droppedPieces(log: OutputLog, at: LogPosition, start: LogPosition): OutputChunk[] {
  return (["stdout", "stderr"] as const).flatMap((stream) => {
    const droppedBytes = start.offsets[stream] - at.offsets[stream];
    if (droppedBytes <= 0) return [];
    const cursor = cursorAt(log, start);
    return [{
      stream,
      data: new Uint8Array(),
      offset: start.offsets[stream],
      time: new Date(),
      clockWentBack: false,
      cursor,
      droppedBytes,
    }];
  });
}

function without(piece: OutputChunk, skip: number): OutputChunk {
  return { ...piece, data: piece.data.subarray(skip), offset: piece.offset + skip };
}
