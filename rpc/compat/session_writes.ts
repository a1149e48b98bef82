/**
 * Sends the frames of an HTTP/2 session in few large writes, and little faster than the socket takes them.
 *
 * Reason: Deno passes each DATA frame, of at most 16 KiB, to the socket on its own, also while the socket does not take
 * any. Each frame then costs a buffer, a write request and its share of a garbage collection. A client that stalls has
 * its whole window in the server. Remove this file when Deno joins frames itself. Without the private fields
 * the session writes as Deno does. Tests: `tests/rpc/compat/session_writes_test.ts` and, for clients,
 * `tests/rpc/compat/client_writes_test.ts`.
 *
 * Source: https://github.com/denoland/deno/blob/v2.9.5/ext/node/polyfills/http2.ts (setupHandle),
 * ext/node/ops/http2/session.rs (get_outgoing_chunk), ext/node/ops/tls_wrap.rs (write_data)
 */
import type { Http2Session } from "node:http2";
import type { TLSSocket } from "node:tls";
import { joinBytes } from "../../base/join_bytes.ts";
import { free } from "./received_memory.ts";
import { privateOf } from "./session_fields.ts";

/**
 * The most bytes of one write. A message of output fits, with its head and those of its frames. Otherwise the rest of each
 * message would be a copy, and a write of its own. It is three times what TLS takes in a turn of the event loop.
 */
const MAX_WRITE_BYTES = 147_456;

/** The longest usual frame: 16 KiB and its head. */
const MAX_FRAME_BYTES = 16_393;

/** The part of Deno's session that is used here. */
interface SessionHandle {
  /** Returns the next frame. Empty, or undefined, when there is none. */
  getOutgoingChunk(): Uint8Array<ArrayBuffer> | undefined;
  /** Passes all frames to the socket, and reports writes of streams that are done. The prototype's only reports. */
  sendPending(): void;
  /** False when HTTP/2 has ended the session. */
  hasPendingData(): boolean;
}

/** The memory of the next write. TLS copies it at once. Absent while a write is made. */
let memory: Uint8Array<ArrayBuffer> | undefined;

const NOTHING = new Uint8Array();

/** Joins the frames that a session sends. Returns false when the private fields of the session are not found. */
export function joinWrites(session: Http2Session): boolean {
  const handle = privateOf(session, "kHandle") as SessionHandle | undefined;
  const socket = privateOf(session, "socket") as TLSSocket | undefined;
  const read = privateOf(session, "socket-data-listener") as ((bytes: Uint8Array) => void) | undefined;
  if (handle === undefined || socket === undefined || read === undefined) return false;
  // A TCP socket keeps the memory until it is written.
  if (socket.encrypted !== true || !Object.hasOwn(handle, "sendPending")) return false;
  const report = (Object.getPrototypeOf(handle) as SessionHandle).sendPending;
  if (typeof report !== "function" || typeof handle.getOutgoingChunk !== "function") return false;

  const isFull = () => socket.writableLength >= MAX_WRITE_BYTES;
  const written = (error?: Error | null) => {
    if (error || session.destroyed) return;
    handle.sendPending();
    // Deno ends the socket after a read when HTTP/2 has ended the session. The last frames were not sent then.
    if (!isFull() && !handle.hasPendingData()) read(NOTHING);
  };
  /** The copy waits with the client. The collector would find it late, because it is then old. */
  const writeCopy = (copy: Uint8Array) =>
    socket.write(copy, (error) => {
      if (!error) free(copy);
      written(error);
    });
  handle.sendPending = () => {
    // A stream that is closed now sends its last bytes first. So a socket that is busy with little gets more.
    while (!isFull()) {
      // HTTP/2 may call back, and another session may then write.
      const taken = memory ?? new Uint8Array(MAX_WRITE_BYTES);
      memory = undefined;
      const bytes = takeFrames(handle, taken);
      // A socket that is busy keeps what it is given.
      const isFree = socket.writableLength === 0 && !socket.connecting;
      if (bytes.length > 0 && isFree) socket.write(bytes, written);
      else if (bytes.length > 0) writeCopy(bytes.slice());
      memory = taken;
      if (bytes.length === 0) break;
      report.call(handle);
    }
    report.call(handle);
  };
  return true;
}

/** Takes the frames of one write into memory. Returns their bytes, which are in other memory when they do not fit. */
function takeFrames(handle: SessionHandle, memory: Uint8Array): Uint8Array {
  let end = 0;
  while (end + MAX_FRAME_BYTES <= MAX_WRITE_BYTES) {
    const frame = handle.getOutgoingChunk();
    if (frame === undefined || frame.length === 0) break;
    if (end + frame.length > MAX_WRITE_BYTES) return joinBytes([memory.subarray(0, end), frame]);
    memory.set(frame, end);
    end += frame.length;
    free(frame);
  }
  return memory.subarray(0, end);
}
