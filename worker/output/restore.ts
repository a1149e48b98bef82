/** Opens the logs of earlier processes: complete ones, and those that a crash left. */
import { createHash } from "node:crypto";
import { OutputUnavailableError } from "../storage_errors.ts";
import { decodeBlock } from "./chunk.ts";
import { LOG_START, type LogPosition } from "./cursor.ts";
import { OutputLog, type OutputLogOptions } from "./log.ts";
import { READ_BYTES } from "./reader.ts";
import { SegmentSet } from "./segment_set.ts";
import type { OutputTotals } from "./totals.ts";

/**
 * Restores a log that was sealed. Its files are opened when somebody reads.
 *
 * @param end the position after its last byte
 */
export function restoreLog(id: string, options: OutputLogOptions, end: LogPosition, totals: OutputTotals): OutputLog {
  const segments = new SegmentSet(id, options.directory, options.budget);
  let opened: Promise<void> | undefined;
  const openFiles = () => opened ??= segments.open();
  return new OutputLog(id, options, { segments, range: { start: LOG_START, end }, totals, openFiles });
}

/** Returns a log whose readers get an OutputUnavailableError, for a log that could not be recovered. */
export function unavailableLog(id: string, options: OutputLogOptions): OutputLog {
  const segments = new SegmentSet(id, options.directory, options.budget);
  const unknown = new Uint8Array();
  return new OutputLog(id, options, {
    segments,
    range: { start: LOG_START, end: LOG_START },
    totals: { stdoutBytes: 0, stderrBytes: 0, droppedBytes: 0, stdoutSha256: unknown, stderrSha256: unknown },
    openFiles: () => Promise.reject(new OutputUnavailableError(id)),
  });
}

/**
 * Recovers a log that a crash left: reads all of it, cuts off an incomplete last frame, and seals it.
 *
 * @throws {OutputUnavailableError} when the log is damaged before its end; its files are not changed
 */
export async function recoverLog(id: string, options: OutputLogOptions): Promise<OutputLog> {
  const segments = new SegmentSet(id, options.directory, options.budget);
  try {
    await segments.open();
  } catch (cause) {
    throw new OutputUnavailableError(id, { cause });
  }
  const { start } = segments;
  const isWhole = start.position === 0;
  const hashes = { stdout: createHash("sha256"), stderr: createHash("sha256") };
  let end = start;
  for (const segment of segments.all) {
    if (segment.start !== end.position) break;
    while (end.position < segment.end) {
      const bytes = await segment.read(end.position, READ_BYTES);
      const block = decodeBlock(bytes, end.position, segments.identity, true);
      if (block === undefined) break;
      for (const { stream, data } of block.chunks) if (isWhole) hashes[stream].update(data);
      end = block.next;
    }
  }
  // Only an incomplete last frame has no frame after it. Cutting at a damaged frame would delete the frames after it.
  if (await segments.hasFrameAfter(end.position)) throw new OutputUnavailableError(id);
  await segments.truncate(end.position);
  await segments.closeReaders();
  const digestOf = (hash: typeof hashes.stdout) => isWhole ? new Uint8Array(hash.digest()) : new Uint8Array();
  const totals = {
    stdoutBytes: end.offsets.stdout,
    stderrBytes: end.offsets.stderr,
    droppedBytes: start.offsets.stdout + start.offsets.stderr,
    stdoutSha256: digestOf(hashes.stdout),
    stderrSha256: digestOf(hashes.stderr),
  };
  return new OutputLog(id, options, { segments, range: { start, end }, totals, openFiles: () => Promise.resolve() });
}
