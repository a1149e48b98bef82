/** A peer of a host that writes any bytes, and a host that answers as a test decides. */
import type { ServerMessage } from "../../../../worker/host/socket/messages.ts";
import {
  encodeMessage,
  MAX_MESSAGE_BYTES,
  type Message,
  MessageReader,
} from "../../../../worker/host/socket/message_codec.ts";

/** One end of a connection without any rules. */
export class RawPeer {
  readonly #stream: Deno.Conn;
  readonly #reader = new MessageReader(MAX_MESSAGE_BYTES);
  #isClosed = false;

  constructor(stream: Deno.Conn) {
    this.#stream = stream;
  }

  /** Connects to the host of a directory. */
  static async connect(directory: string): Promise<RawPeer> {
    return new RawPeer(await Deno.connect({ transport: "unix", path: `${directory}/socket` }));
  }

  /** Connects and proves the key. */
  static async welcomed(directory: string): Promise<RawPeer> {
    const peer = await RawPeer.connect(directory);
    await peer.send(hello(directory));
    if (typeof (await peer.receive())?.body.welcome !== "number") throw new Error("The host refused the connection");
    return peer;
  }

  send(body: ServerMessage | object, data?: Uint8Array): Promise<void> {
    return this.write(encodeMessage(body, data));
  }

  /** Writes bytes, as far as the host reads them. */
  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) at += await this.#stream.write(bytes.subarray(at));
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset)) throw error;
    }
  }

  /** Returns the next message. Undefined at the end of the connection. */
  async receive(): Promise<Message | undefined> {
    for (;;) {
      const message = this.#reader.next();
      if (message !== undefined) return message;
      try {
        const bytes = await this.#stream.read(this.#reader.space());
        if (bytes === null) return undefined;
        this.#reader.filled(bytes);
      } catch (error) {
        if (error instanceof Deno.errors.ConnectionReset) return undefined;
        throw error;
      }
    }
  }

  /** Receives messages until the connection ends. */
  async ended(): Promise<void> {
    while (await this.receive() !== undefined);
  }

  close(): void {
    if (!this.#isClosed) this.#stream.close();
    this.#isClosed = true;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** The hello of a server that has read the key. */
export function hello(directory: string, range = { min: 1, max: 1 }): object {
  const key = Deno.readFileSync(`${directory}/key`).toBase64();
  return { hello: range, key, instance: directory.slice(directory.lastIndexOf("/") + 1) };
}

/** A socket on which a test answers as a host. It has a key. */
export async function rawHost(directory: string): Promise<Deno.UnixListener> {
  await Deno.mkdir(directory, { recursive: true });
  await Deno.writeFile(`${directory}/key`, new Uint8Array(32));
  return Deno.listen({ transport: "unix", path: `${directory}/socket` });
}
