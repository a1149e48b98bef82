/**
 * Gives back the memory of a large message as soon as it was sent. The garbage collector would do it too, but V8 lets
 * 64 MB of such memory gather before it looks, and the process never gets smaller again.
 */
import type { Http2SecureServer, ServerHttp2Stream } from "node:http2";

// Smaller ones stand together in memory that others use too, and are soon collected.
const MIN_BYTES = 16_384;

type Written = (error?: Error | null) => void;

/** Frees what grpc-js makes of each message, for all streams of a server. */
export function freeSentFrames(server: Http2SecureServer): void {
  server.prependListener("stream", freeAfterWrite);
}

function freeAfterWrite(stream: ServerHttp2Stream): void {
  const write = stream.write.bind(stream) as (chunk: Uint8Array, written: Written) => boolean;
  // As grpc-js calls it: a frame that it has just made and keeps no hold of, and what is to be called then.
  const writeAndFree = (frame: Uint8Array, written?: Written) =>
    write(frame, (error) => {
      if (frame.byteLength >= MIN_BYTES && frame.byteLength === frame.buffer.byteLength) {
        (frame.buffer as ArrayBuffer).transfer(0);
      }
      written?.(error);
    });
  stream.write = writeAndFree as typeof stream.write;
}
