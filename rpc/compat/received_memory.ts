/**
 * Frees the memory of received data as soon as it was used.
 *
 * Reason: Deno copies each byte into a buffer of the connection, one of TLS and one of HTTP/2. They wait for the
 * collector of V8, which took a quarter of the client's processor time. New memory is also slow at its first use. The
 * encrypted buffers are found through a private field of Deno. Without the field, the collector frees them.
 * Test: `tests/rpc/compat/received_memory_test.ts`.
 */
import type { EventEmitter } from "node:events";
import type { ClientHttp2Session, ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { privateOf } from "./session_fields.ts";

/** Smaller buffers may share their memory with others, and are collected soon. */
const MIN_BYTES = 4_096;

/** Frees the memory of data, unless the memory may also have other data. Nobody may use the data later. */
export function free(data: Uint8Array): void {
  const { buffer, byteLength } = data;
  if (byteLength >= MIN_BYTES && byteLength === buffer.byteLength && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** The handle of a connection. */
interface Handle {
  onread?: (this: Handle, data: ArrayBuffer | undefined) => void;
  readStop(): void;
  readStart(): void;
}

/**
 * Frees the encrypted data of a connection after TLS has copied it.
 *
 * @param socket the TCP connection, after TLS took it over
 */
export function freeEncrypted(socket: Socket): void {
  const { _handle: handle } = socket as { _handle?: Handle | null };
  const onRead = handle?.onread;
  if (!handle || typeof onRead !== "function") return;
  handle.onread = function (data) {
    onRead.call(this, data);
    // At the end of the connection there is no data.
    if (data instanceof ArrayBuffer) free(new Uint8Array(data));
  };
  // A start takes over the function.
  handle.readStop();
  handle.readStart();
}

/** Frees the decrypted data of a session after nghttp2 has copied it. */
export function freeDecrypted(session: ClientHttp2Session, socket: EventEmitter): void {
  // The session listens to its socket before this event. Listeners are called in their order.
  session.once("connect", () => socket.on("data", free));
}

/** Frees what a session of a server has received, encrypted and decrypted. */
export function freeReceived(session: ServerHttp2Session): void {
  const socket = privateOf(session, "socket") as TLSSocket & { _parent?: Socket } | undefined;
  if (socket?.encrypted !== true) return;
  socket.on("data", free);
  if (socket._parent !== undefined) freeEncrypted(socket._parent);
}
