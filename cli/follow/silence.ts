/** Ends a stream on which nothing comes, though heartbeats were asked for. */
import { formatDuration } from "../../units/duration.ts";

/**
 * The server says this often on a quiet stream that it is there, in milliseconds: seldom enough to cost nothing, and often
 * enough that a network between does not forget the connection.
 */
export const HEARTBEAT_MS = 30_000;

/** After this long without any, which is three of them, the connection counts as dead; in milliseconds. */
export const MAX_SILENCE_MS = 90_000;

/** Not even a heartbeat has come for so long that the connection must be dead. */
export class SilenceError extends Error {
  override readonly name = "SilenceError";

  constructor(silenceMs: number) {
    super(`Nothing came from the server for ${formatDuration(silenceMs)}: the connection counts as lost`);
  }
}

/**
 * Iterates a stream that may be quiet, and ends it when it is quiet for too long.
 *
 * @param open makes the call, with the signal that ends it
 * @param silenceMs how long nothing may come, in milliseconds
 * @throws {SilenceError} when nothing came for that long
 */
export async function* endWhenSilent<T>(
  open: (signal: AbortSignal) => AsyncIterable<T>,
  silenceMs: number,
  signal?: AbortSignal,
): AsyncGenerator<T, void, void> {
  const silent = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const watch = () => timer = setTimeout(() => silent.abort(), silenceMs);
  watch();
  try {
    for await (const item of open(signal === undefined ? silent.signal : AbortSignal.any([signal, silent.signal]))) {
      // A slow reader of the item is no silence of the server.
      clearTimeout(timer);
      yield item;
      watch();
    }
  } catch (error) {
    throw silent.signal.aborted ? new SilenceError(silenceMs) : error;
  } finally {
    clearTimeout(timer);
  }
}
