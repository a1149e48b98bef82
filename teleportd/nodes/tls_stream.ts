/** A TLS socket as a stream of bytes for the link to a job host. */
import type { TLSSocket } from "node:tls";
import type { ByteStream } from "../../job_host.ts";

/** The most bytes that are read ahead. Beyond them the peer waits. */
const MAX_AHEAD_BYTES = 1_048_576;

/** A TLS socket as a stream of bytes. */
export class TlsStream implements ByteStream {
  readonly #socket: TLSSocket;
  #chunks: Uint8Array[] = [];
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
      if (this.#bytes > MAX_AHEAD_BYTES) socket.pause();
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
      const part = chunk.subarray(0, bytes.length - filled);
      bytes.set(part, filled);
      filled += part.length;
      if (part.length === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(part.length);
    }
    this.#bytes -= filled;
    if (this.#socket.isPaused() && this.#bytes <= MAX_AHEAD_BYTES / 2) this.#socket.resume();
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
