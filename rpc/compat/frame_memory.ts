/**
 * Frees the memory of a large message as soon as it was sent. A message that shares its memory is not kept.
 *
 * Reason: V8 lets 64 MB of such memory gather before it collects, and the process never gets smaller again.
 * Test: `tests/rpc/compat/frame_memory_test.ts`.
 */
import type { Http2SecureServer, ServerHttp2Stream } from "node:http2";

// Smaller frames share memory with others, and are collected soon.
const MIN_BYTES = 16_384;

/**
 * Larger frames are written in parts, so that the meter notices a slow reader that reads. Output frames are smaller.
 */
const PART_BYTES = 147_456;

/** Smaller frames, such as a line of output, are not metered. A stream holds one; all streams of a user hold 2 MB. */
const MIN_METERED_BYTES = 1_024;

type Written = (error?: Error | null) => void;

/** Receives the number of bytes that a stream was given, and that were sent. */
export interface FrameMeter {
  queued(bytes: number): void;
  sent(bytes: number): void;
}

const METER = Symbol("frame meter");

type Write = (chunk: Uint8Array | string, written?: Written) => boolean;

type Metered = ServerHttp2Stream & { [METER]?: FrameMeter };

/**
 * Frees the frames that grpc-js makes of messages, for all streams of a server.
 *
 * @param meterOf returns the meter of a stream
 */
export function freeSentFrames(server: Http2SecureServer, meterOf: (stream: ServerHttp2Stream) => FrameMeter): void {
  server.prependListener("stream", (stream: Metered) => {
    stream[METER] = meterOf(stream);
    patchClass(Object.getPrototypeOf(stream));
  });
}

const patched = new WeakSet<object>();

/** Patches the class of all streams. A function for each stream would cost memory while the stream is open. */
function patchClass(prototype: ServerHttp2Stream): void {
  if (patched.has(prototype)) return;
  patched.add(prototype);
  const write = prototype.write as Write;
  // grpc-js passes a frame that it has just made and does not keep, and a callback. It writes no strings.
  prototype.write = function (this: Metered, ...args: [frame: Uint8Array | string, written?: Written]) {
    const [frame, written] = args;
    const meter = this[METER];
    if (meter === undefined || typeof frame === "string" || frame.byteLength < MIN_METERED_BYTES) {
      return write.apply(this, args);
    }
    const kept = keepsShared(this, frame) ? new Uint8Array(frame) : frame;
    return writeAndFree((part, sent) => write.call(this, part, sent), kept, written ?? (() => {}), meter);
  } as typeof prototype.write;
}

/** Returns whether a stream would keep a frame that shares its memory. It copies a frame at once if it is not busy. */
function keepsShared(stream: ServerHttp2Stream, frame: Uint8Array): boolean {
  const isShared = frame.byteLength >= MIN_BYTES && frame.byteLength !== frame.buffer.byteLength;
  return isShared && (stream.writableLength > 0 || stream.pending || frame.byteLength > PART_BYTES);
}

function writeAndFree(write: Write, frame: Uint8Array, written: Written, meter: FrameMeter): boolean {
  meter.queued(frame.byteLength);
  let isWritten = false;
  for (let at = 0;; at += PART_BYTES) {
    const isLast = at + PART_BYTES >= frame.byteLength;
    const part = at === 0 && isLast ? frame : frame.subarray(at, at + PART_BYTES);
    const { byteLength } = part;
    isWritten = write(part, (error) => {
      meter.sent(byteLength);
      if (!isLast) return;
      if (frame.byteLength >= MIN_BYTES && frame.byteLength === frame.buffer.byteLength) {
        (frame.buffer as ArrayBuffer).transfer(0);
      }
      written(error);
    });
    if (isLast) return isWritten;
  }
}
