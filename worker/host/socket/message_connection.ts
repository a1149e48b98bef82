/** One connection that carries messages: its queue of unsent ones, and the loop that reads. */
import { deadline } from "../../../base/deadline.ts";
import { joinBytes } from "../../../base/join_bytes.ts";
import { giveMessageMemory } from "./message_memory.ts";
import { encodeMessage, MAX_HELLO_BYTES, MAX_MESSAGE_BYTES, type Message, MessageReader } from "./message_codec.ts";

/** A connection of bytes, such as a `Deno.Conn`. */
export interface ByteStream {
  read(bytes: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  close(): void;
}

/** The most bytes of messages that are joined for one write. A longer one is written alone, without a copy. */
const MAX_JOINED_BYTES = 131_072;

/** A connection that carries messages. */
export class MessageConnection {
  readonly #stream: ByteStream;
  readonly #reader = new MessageReader(MAX_HELLO_BYTES);
  readonly #beforeWrite: () => void;
  #queue: Uint8Array<ArrayBuffer>[] = [];
  /** The messages that are made before the next write, by their kind. */
  readonly #later = new Map<string, () => void>();
  #queuedBytes = 0;
  #isWriting = false;
  #isClosed = false;
  #drained = Promise.withResolvers<void>();

  /**
   * @param beforeWrite is called before each write. It may send messages that only the newest state matters for, which so
   * wait outside the queue while the peer does not read
   */
  constructor(stream: ByteStream, beforeWrite: () => void = () => {}) {
    this.#stream = stream;
    this.#beforeWrite = beforeWrite;
  }

  /** The bytes that are not written yet. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** True when the connection has ended at this end. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Sends a message. Has no effect on a closed connection.
   *
   * @throws {LimitReachedError} when the message is too long
   */
  send(body: object, data?: Uint8Array): void {
    if (this.#isClosed) return;
    const message = encodeMessage(body, data);
    this.#queue.push(message);
    this.#queuedBytes += message.length;
    this.requestWrite();
  }

  /**
   * Calls back before the next write, to send a message of which only the newest matters. An earlier callback of the same
   * kind that was not called yet is dropped. So such messages do not fill the queue while the peer does not read.
   */
  sendLater(kind: string, send: () => void): void {
    if (this.#isClosed) return;
    this.#later.set(kind, send);
    this.requestWrite();
  }

  /** Starts a write after the current turn of the caller, unless one runs. */
  requestWrite(): void {
    if (this.#isWriting || this.#isClosed) return;
    this.#isWriting = true;
    queueMicrotask(() => void this.#writeAll());
  }

  /** Resolves when at most this number of bytes is not written yet, or the connection has ended. */
  async drained(bytes = 0): Promise<void> {
    while (this.#queuedBytes > bytes && !this.#isClosed) await this.#drained.promise;
  }

  /** Returns the first message. Undefined when the peer ends the connection before it. */
  async receiveFirst(): Promise<Message | undefined> {
    for (;;) {
      const message = this.#reader.next();
      if (message !== undefined) return message;
      if (!await this.#read()) return undefined;
    }
  }

  /**
   * Receives messages until the peer ends the connection, or `close` is called.
   *
   * @param receive gets each message. The next one waits for its promise
   * @param maxQueuedBytes no message is received while more bytes are not written
   * @throws {ProtocolError} when the peer does not keep to the protocol
   */
  async receive(receive: (message: Message) => Promise<void> | void, maxQueuedBytes = Infinity): Promise<void> {
    this.#reader.setMaxBytes(MAX_MESSAGE_BYTES);
    do {
      for (let message = this.#reader.next(); message !== undefined; message = this.#reader.next()) {
        const settled = receive(message);
        if (settled !== undefined) await settled;
        if (this.#isClosed) return;
        if (this.#queuedBytes > maxQueuedBytes) await this.drained(maxQueuedBytes);
      }
    } while (await this.#read());
  }

  /** Ends the connection when all messages are written, or after this time. */
  async end(timeoutMs: number): Promise<void> {
    await deadline(this.drained(), timeoutMs);
    this.close();
  }

  /** Ends the connection. Messages that are not written are lost. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#drained.resolve();
    this.#stream.close();
  }

  /** Returns false when the peer has ended the connection, or `close` was called. */
  async #read(): Promise<boolean> {
    if (this.#isClosed) return false;
    try {
      const bytes = await this.#stream.read(this.#reader.space());
      if (bytes === null || this.#isClosed) return false;
      this.#reader.filled(bytes);
      return true;
    } catch {
      // A peer that dies resets the connection. `close` cancels the read.
      return false;
    }
  }

  async #writeAll(): Promise<void> {
    try {
      for (;;) {
        this.#beforeWrite();
        this.#sendLatest();
        if (this.#isClosed || this.#queue.length === 0) break;
        const bytes = this.#takeQueue();
        for (let at = 0; at < bytes.length && !this.#isClosed;) at += await this.#stream.write(bytes.subarray(at));
        if (this.#isClosed) break;
        this.#queuedBytes -= bytes.length;
        giveMessageMemory(bytes);
        this.#drained.resolve();
        this.#drained = Promise.withResolvers<void>();
      }
    } catch {
      this.close(); // The peer has gone. The read ends too.
    } finally {
      this.#isWriting = false;
    }
  }

  #sendLatest(): void {
    const sends = [...this.#later.values()];
    this.#later.clear();
    for (const send of sends) send();
  }

  #takeQueue(): Uint8Array<ArrayBuffer> {
    let [count, bytes] = [0, 0];
    for (const message of this.#queue) {
      if (count > 0 && bytes + message.length > MAX_JOINED_BYTES) break;
      bytes += message.length;
      count++;
    }
    const taken = this.#queue.splice(0, count);
    return taken.length === 1 && taken[0] !== undefined ? taken[0] : joinBytes(taken);
  }
}
