/**
 * A TLS socket as a stream of bytes for the link to a job host.
 *
 * It never stops the socket: in Deno 2.9.6 a TLS socket that was stopped and continued may never report the end of the
 * connection. So the messages of the link bound what is on its way, and a peer that sends more is closed.
 */
import type { TLSSocket } from "node:tls";
import type { ByteStream } from "../../job_host.ts";
import { free } from "../../rpc/compat/received_memory.ts";

/** The most bytes that are not read yet. A message has at most 32 MiB, and output on its way at most 2 MiB. */
const MAX_AHEAD_BYTES = 41_943_040;

/** A TLS socket as a stream of bytes. */
export class TlsStream implements ByteStream {
  readonly #socket: TLSSocket;
  readonly #chunks: Uint8Array[] = [];
  /** The bytes of the first chunk that were read. */
  #start = 0;
  #bytes = 0;
  #isEnded = false;
  #arrived = Promise.withResolvers<void>();

  /** @param idleMs closes the connection when nothing arrives for this time, in milliseconds; absent: never */
  constructor(socket: TLSSocket, idleMs?: number) {
    this.#socket = socket;
    if (idleMs !== undefined) socket.setTimeout(idleMs, () => socket.destroy());
    socket.on("data", (chunk: Uint8Array) => {
      this.#chunks.push(chunk);
      this.#bytes += chunk.length;
      if (this.#bytes > MAX_AHEAD_BYTES) socket.destroy();
      this.#wake();
    });
    for (const event of ["end", "close", "error"]) {
      socket.on(event, () => {
        this.#isEnded = true;
        this.#wake();
      });
    }
  }

  #wake(): void {
    this.#arrived.resolve();
    this.#arrived = Promise.withResolvers<void>();
  }

  async read(bytes: Uint8Array): Promise<number | null> {
    while (this.#chunks.length === 0) {
      if (this.#isEnded) return null;
      await this.#arrived.promise;
    }
    let filled = 0;
    while (filled < bytes.length) {
      const chunk = this.#chunks[0];
      if (chunk === undefined) break;
      const part = chunk.subarray(this.#start, this.#start + bytes.length - filled);
      bytes.set(part, filled);
      filled += part.length;
      this.#start += part.length;
      if (this.#start < chunk.length) break;
      this.#start = 0;
      this.#chunks.shift();
      free(chunk);
    }
    this.#bytes -= filled;
    return filled;
  }

  /** Resolves when the system has taken the bytes. */
  write(bytes: Uint8Array): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    if (this.#isEnded) throw new Error("The connection has ended");
    const closed = () => reject(new Error("The connection has ended"));
    this.#socket.once("close", closed);
    this.#socket.write(bytes, (error) => {
      this.#socket.off("close", closed);
      if (error) reject(error);
      else resolve(bytes.length);
    });
    return promise;
  }

  close(): void {
    this.#isEnded = true;
    this.#wake();
    this.#socket.destroy();
  }
}
