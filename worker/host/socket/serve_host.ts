/** Offers a job host to servers over a unix socket in the directory of its instance. */
import { asError } from "../../../base/as_error.ts";
import type { FileModes } from "../../../base/file_modes.ts";
import { type Message, ProtocolError } from "./message_codec.ts";
import { type Hello, type ProtocolRange, PROTOCOLS, type Refusal, type RefusalReason } from "./messages.ts";
import { ServedConnection, type ServedHost } from "./served_connection.ts";
import { isKey, listenIn, type ListeningSocket } from "./socket_files.ts";

/** The time that a peer has to prove the key, in milliseconds. */
const HELLO_MS = 10_000;
/** The most connections at once. A server needs one, and so does each `teleportd host` command. */
const MAX_CONNECTIONS = 128;
/** The pause after a connection could not be accepted, such as for lack of descriptors, in milliseconds. */
const ACCEPT_PAUSE_MS = 100;

/** Options of `serveHost`. */
export interface ServeHostOptions {
  /** The modes of the socket, its key and their directory. Default: for the owner alone. */
  readonly modes?: FileModes;
  /** Whether a server is attached has changed. */
  readonly onAttached?: (isAttached: boolean) => void;
  /** Receives errors that no server gets. */
  readonly onError?: (error: Error) => void;
}

/** A job host that servers can reach. */
export class HostServer {
  readonly #host: ServedHost;
  readonly #options: ServeHostOptions;
  readonly #socket: ListeningSocket;
  readonly #connections = new Set<ServedConnection>();
  readonly #closing = new AbortController();
  readonly #accepting: Promise<void>;
  #attached: ServedConnection | undefined;

  constructor(host: ServedHost, socket: ListeningSocket, options: ServeHostOptions) {
    this.#host = host;
    this.#socket = socket;
    this.#options = options;
    this.#accepting = this.#acceptAll();
  }

  /** True while a server receives the events of the host. */
  get isAttached(): boolean {
    return this.#attached !== undefined;
  }

  /** Ends all connections and removes the socket. The host and its jobs continue. */
  async close(why = "it ends"): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#socket.listener.close();
    await Promise.all([...this.#connections].map((connection) => connection.end(why)));
    await this.#accepting;
    this.#socket.remove();
  }

  async #acceptAll(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        const stream = await this.#socket.listener.accept();
        // The peer can try again. It gets no message, so that nobody can hold the host with connections.
        if (this.#connections.size >= MAX_CONNECTIONS) stream.close();
        else void this.#serve(stream);
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        this.#report(error);
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE_MS));
      }
    }
  }

  async #serve(stream: Deno.UnixConn): Promise<void> {
    const connection = new ServedConnection(stream, this.#host, (one) => this.#attach(one), (error) => {
      this.#report(error);
    });
    this.#connections.add(connection);
    try {
      if (await this.#welcome(connection)) await connection.serve();
      else await connection.end(undefined);
    } catch (error) {
      this.#report(error);
    } finally {
      connection.close();
      this.#connections.delete(connection);
      if (this.#attached === connection) this.#detach();
    }
  }

  /** Returns whether the peer may use the connection. */
  async #welcome(connection: ServedConnection): Promise<boolean> {
    const timer = setTimeout(() => connection.close(), HELLO_MS);
    const message = await connection.receiveHello().finally(() => clearTimeout(timer));
    if (message === undefined) return false;
    const { key, instance, hello: range } = readHello(message);
    const { info } = this.#host;
    const welcome = Math.min(range.max, PROTOCOLS.max);
    const refused: RefusalReason | undefined = !isKey(this.#socket.key, key)
      ? "KEY"
      : instance !== info.instance
      ? "INSTANCE"
      : welcome < Math.max(range.min, PROTOCOLS.min)
      ? "PROTOCOL"
      : undefined;
    if (refused === undefined) {
      connection.sendHandshake({ welcome, info });
      return true;
    }
    const refusal: Refusal = { refused, protocols: PROTOCOLS, version: info.version, pid: info.pid };
    connection.sendHandshake(refusal);
    return false;
  }

  #attach(connection: ServedConnection): void {
    const earlier = this.#attached;
    this.#attached = connection;
    if (earlier === connection) return;
    if (earlier === undefined) return this.#options.onAttached?.(true);
    // It is not detached, because a host without a server may end.
    earlier.unwatchAll();
    void earlier.end("another server has attached to it");
  }

  #detach(): void {
    this.#attached?.detach();
    this.#attached = undefined;
    try {
      this.#options.onAttached?.(false);
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    try {
      this.#options.onError?.(asError(error));
    } catch {
      // Nobody else can receive it.
    }
  }
}

function readHello({ body }: Message): Hello {
  const range = body.hello as ProtocolRange | undefined;
  if (typeof range?.min !== "number" || typeof range.max !== "number") {
    throw new ProtocolError("The first message of a connection is not a hello");
  }
  return { hello: range, key: String(body.key), instance: String(body.instance) };
}

/**
 * Offers a job host to servers over a socket.
 *
 * @param host the host
 * @param directory the directory of its instance. The socket and the key are made there, for the own user alone
 * @throws {DirectoryInUseError} when a process listens on the socket
 */
export async function serveHost(
  host: ServedHost,
  directory: string,
  options: ServeHostOptions = {},
): Promise<HostServer> {
  return new HostServer(host, await listenIn(directory, options.modes), options);
}
