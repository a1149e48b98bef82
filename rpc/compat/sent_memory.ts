/**
 * Frees the memory of HTTP/2 frames as soon as they were sent. For clients; `frame_memory.ts` is for servers.
 *
 * Reason: a session makes a buffer for each frame of 16 KiB. They wait for the collector of V8, which took a quarter of
 * the processor time of a client that sends input. Test: `tests/rpc/compat/sent_memory_test.ts`.
 *
 * The larger frames of gRPC are not freed. grpc-js keeps them, to send them again to a server that refused the stream.
 */
import type { EventEmitter } from "node:events";
import { free } from "./received_memory.ts";

type Written = (error?: Error | null) => void;

/** The socket of a session. */
interface Sender extends EventEmitter {
  write?(data: Uint8Array | string, ...rest: unknown[]): boolean;
}

/** Frees the frames that a session writes to its socket. The session makes each of them new, and keeps none. */
export function freeWrittenFrames(socket: Sender): void {
  const { write } = socket;
  if (write === undefined) return;
  socket.write = function (this: Sender, data, ...rest) {
    const last = rest.at(-1);
    if (typeof data === "string" || typeof last === "function") return write.call(this, data, ...rest);
    const written: Written = () => free(data);
    return write.call(this, data, ...rest, written);
  };
}
