/**
 * Gives back the memory of a large message as soon as it was sent. The garbage collector would do it too, but V8 lets
 * 64 MB of such memory gather before it looks, and the process never gets smaller again.
 */
import type { Http2SecureServer, ServerHttp2Stream } from "node:http2";

// Smaller ones stand together in memory that others use too, and are soon collected.
const MIN_BYTES = 16_384;

/** A larger frame is written in parts, so that the meter sees a slow reader read. Output has smaller ones. */
const PART_BYTES = 131_072;

/** Smaller frames, such as a line of output, are not metered: a stream holds one, and a user's streams 2 MB of them. */
const MIN_METERED_BYTES = 1_024;

type Written = (error?: Error | null) => void;

/** Told of the bytes that a stream was given and that have left. */
export interface FrameMeter {
  queued(bytes: number): void;
  left(bytes: number): void;
}

/**
 * Frees what grpc-js makes of each message, for all streams of a server.
 *
 * @param meterOf makes what is told of a stream's frames
 */
export function freeSentFrames(server: Http2SecureServer, meterOf: (stream: ServerHttp2Stream) => FrameMeter): void {
  server.prependListener("stream", (stream: ServerHttp2Stream) => freeAfterWrite(stream, meterOf(stream)));
}

function freeAfterWrite(stream: ServerHttp2Stream, meter: FrameMeter): void {
  const write = stream.write.bind(stream) as (chunk: Uint8Array | string, written: Written) => boolean;
  // As grpc-js calls it: a frame that it has just made and keeps no hold of, and what is to be called then.
  const writeAndFree = (frame: Uint8Array | string, written?: Written) => {
    // Text is not a frame of grpc-js, which has none to write.
    if (typeof frame === "string" || frame.byteLength < MIN_METERED_BYTES) return write(frame, written ?? (() => {}));
    meter.queued(frame.byteLength);
    let isWritten = false;
    for (let at = 0;; at += PART_BYTES) {
      const isLast = at + PART_BYTES >= frame.byteLength;
      const part = at === 0 && isLast ? frame : frame.subarray(at, at + PART_BYTES);
      const { byteLength } = part;
      isWritten = write(part, (error) => {
        meter.left(byteLength);
        if (!isLast) return;
        if (frame.byteLength >= MIN_BYTES && frame.byteLength === frame.buffer.byteLength) {
          (frame.buffer as ArrayBuffer).transfer(0);
        }
        written?.(error);
      });
      if (isLast) return isWritten;
    }
  };
  stream.write = writeAndFree as typeof stream.write;
}
