/** Ends a stream on which nothing arrives, although heartbeats were requested. */
import { formatDuration } from "../../base/number_text.ts";

/**
 * The interval of heartbeats on a quiet stream, in milliseconds. Long enough to cost nothing, and short enough that
 * networks do not drop the connection.
 */
export const HEARTBEAT_MS = 30_000;

/** The time without a heartbeat after which the connection counts as lost, in milliseconds: three intervals. */
export const MAX_SILENCE_MS = 90_000;

/** Nothing arrived for so long that the connection must be lost. */
export class SilenceError extends Error {
  override readonly name = "SilenceError";

  constructor(silenceMs: number) {
    super(`The server sent nothing for ${formatDuration(silenceMs)}: the connection counts as lost`);
  }
}

/**
 * Iterates a stream and ends it when nothing arrives for too long.
 *
 * @param open makes the call, with the signal that cancels it
 * @param silenceMs the longest time in which nothing may arrive, in milliseconds
 * @throws {SilenceError} when nothing arrived for that long
 */
export async function* endWhenSilent<T>(
  open: (signal: AbortSignal) => AsyncIterable<T>,
  silenceMs: number,
  signal?: AbortSignal,
): AsyncGenerator<T, void, void> {
  const silence = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const startTimer = () => timer = setTimeout(() => silence.abort(), silenceMs);
  startTimer();
  try {
    for await (const item of open(signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]))) {
      // While the consumer handles the item, the time does not count.
      clearTimeout(timer);
      yield item;
      startTimer();
    }
  } catch (error) {
    throw silence.signal.aborted ? new SilenceError(silenceMs) : error;
  } finally {
    clearTimeout(timer);
  }
}
