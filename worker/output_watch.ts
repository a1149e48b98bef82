/** Reads a log at the pace of whoever iterates: what is there, then what comes. Replay and live are one loop. */
import type { Place } from "./output_cursor.ts";
import { LOG_START } from "./output_cursor.ts";
import type { OutputLog, OutputPiece } from "./output_log.ts";
import type { Stream } from "./output_record.ts";

/** Which output to watch. */
export interface OutputSelection {
  /** Continue right behind the piece that carried this cursor. Absent: from the first byte. */
  readonly cursor?: string;
  /** False: end after what is there at the call. True unless given. */
  readonly follow?: boolean;
  /** One stream alone. Absent: both. */
  readonly stream?: Stream;
}

/**
 * Yields the selected pieces of a log. It holds one block of the log at a time; while nothing new is there it waits for
 * the log to grow.
 *
 * @param end where to stop when not following: the log's end at the moment of the call, taken by the caller
 */
export async function* readOutput(
  log: OutputLog,
  selection: OutputSelection,
  end: number,
  signal: AbortSignal,
): AsyncGenerator<OutputPiece, void, void> {
  const follow = selection.follow ?? true;
  let at: Place = selection.cursor === undefined ? LOG_START : log.resolve(selection.cursor);
  log.retain();
  try {
    while (true) {
      signal.throwIfAborted();
      const until = follow ? log.end.position : end;
      if (at.position < until) {
        const { pieces, next } = await log.read(at, until);
        at = next;
        for (const piece of pieces) {
          if (selection.stream === undefined || selection.stream === piece.stream) yield piece;
          signal.throwIfAborted();
        }
      } else if (!follow || log.sealed) return;
      else await log.grown(at.position, signal);
    }
  } finally {
    await log.release();
  }
}
