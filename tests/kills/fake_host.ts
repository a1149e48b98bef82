/** A job host of a protocol that this version does not have. It answers in place of a real one, which runs on. */
import { MessageConnection } from "../../worker/host/socket/message_connection.ts";
import type { Refusal } from "../../worker/host/socket/messages.ts";

/** The protocol numbers of the fake. */
const PROTOCOLS = { min: 1_000, max: 1_001 };

/** The version of the fake. */
export const FAKE_VERSION = "1000.0.0";

/** Answers at the socket of a job host until it is disposed of. */
export class FakeHost implements AsyncDisposable {
  readonly #directory: string;
  readonly #listener: Deno.UnixListener;
  readonly #accepting: Promise<void>;

  private constructor(directory: string, listener: Deno.UnixListener) {
    this.#directory = directory;
    this.#listener = listener;
    this.#accepting = this.#accept();
  }

  /**
   * Takes the place of a job host.
   *
   * @param directory the directory of its instance
   */
  static async replace(directory: string): Promise<FakeHost> {
    await Deno.rename(`${directory}/socket`, `${directory}/socket.real`);
    return new FakeHost(directory, Deno.listen({ transport: "unix", path: `${directory}/socket` }));
  }

  async #accept(): Promise<void> {
    for await (const stream of this.#listener) {
      const connection = new MessageConnection(stream);
      if (await connection.receiveFirst() !== undefined) {
        connection.send(
          { refused: "PROTOCOL", protocols: PROTOCOLS, version: FAKE_VERSION, pid: Deno.pid } satisfies Refusal,
        );
      }
      await connection.end(1_000);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    await Deno.rename(`${this.#directory}/socket.real`, `${this.#directory}/socket`);
  }
}
