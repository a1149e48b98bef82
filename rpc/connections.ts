/** The open connections of one server: bounded in number, told to go away, and cut off when they do not. */
import type { Http2SecureServer, ServerHttp2Session } from "node:http2";
import { createServer, type Server, type Socket } from "node:net";
import { type Address, AddressError, formatAddress } from "./address.ts";
import { rememberAddress } from "./handshake.ts";

/** What a session is used for. */
interface Use {
  /** Calls that are open. */
  open: number;
  /** When the last of them ended, in the time of performance.now(). */
  endedAt: number;
}

/** Accepts connections and keeps count of them and of the HTTP/2 sessions made on them. */
export class Connections {
  readonly #listener: Server;
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Map<ServerHttp2Session, Use>();
  #closing = false;

  /**
   * @param maxConnections Further ones are closed at once
   * @param take What becomes of an accepted connection
   */
  constructor(maxConnections: number, take: (socket: Socket) => void) {
    // Small messages, such as a status, must not wait for more to come: no delay.
    this.#listener = createServer({ noDelay: true }, (socket) => {
      if (this.#sockets.size >= maxConnections) return void socket.destroy();
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      rememberAddress(socket);
      // A connection that breaks is closed after that, and is no error of the server.
      socket.on("error", () => {});
      take(socket);
    });
  }

  /** How many are open. */
  get size(): number {
    return this.#sockets.size;
  }

  /** Keeps count of the sessions of a server. */
  watch(server: Http2SecureServer): void {
    server.on("session", (session) => {
      if (this.#closing) return void session.destroy();
      const use: Use = { open: 0, endedAt: -Infinity };
      this.#sessions.set(session, use);
      session.once("close", () => this.#sessions.delete(session));
      session.on("stream", (stream) => {
        use.open += 1;
        stream.once("close", () => {
          use.open -= 1;
          use.endedAt = performance.now();
          if (this.#closing) closeWhenRead(session, use);
        });
      });
      session.on("error", () => {});
    });
  }

  /**
   * Starts to accept.
   *
   * @returns The address, with the port that was picked where 0 was asked for
   * @throws {AddressError} When the address cannot be listened on
   */
  listen({ host, port }: Address): Promise<Address> {
    return new Promise((resolve, reject) => {
      const refuse = (error: unknown) => reject(listenError(error, { host, port }));
      this.#listener.once("error", refuse);
      try {
        this.#listener.listen(port, host, () => {
          this.#listener.off("error", refuse);
          const bound = this.#listener.address();
          resolve({ host, port: bound !== null && typeof bound === "object" ? bound.port : port });
        });
      } catch (error) {
        refuse(error);
      }
    });
  }

  /**
   * Says GOAWAY to some, and cuts off after a moment what they have not ended by then.
   *
   * @param meant Which
   */
  expel(meant: (session: ServerHttp2Session) => boolean): void {
    for (const session of [...this.#sessions.keys()].filter(meant)) {
      session.close();
      cutLater(session);
    }
  }

  /**
   * Stops accepting, and ends each connection when its calls have ended and were read.
   *
   * @param graceMs How long at most
   * @param endCalls Ends the calls that are open after that; those it cannot end are cut off
   */
  async close(graceMs: number, endCalls: () => void): Promise<void> {
    this.#closing = true;
    const stopped = new Promise<void>((resolve) => this.#listener.close(() => resolve()));
    const ended = Promise.all([...this.#sockets].map((socket) =>
      new Promise<void>((resolve) => {
        if (socket.closed) resolve();
        else socket.once("close", () => resolve());
      })
    ));
    // A connection still in its handshake has no calls to wait for.
    // One that is being destroyed has no socket any more.
    const sockets = [...this.#sessions.keys()].map(({ socket }) => socket as Socket | undefined);
    const inUse = new Set(sockets.flatMap((socket) => socket === undefined ? [] : [peerOf(socket)]));
    for (const socket of this.#sockets) if (!inUse.has(peerOf(socket))) socket.destroy();
    for (const [session, use] of this.#sessions) closeWhenRead(session, use);
    let timer = setTimeout(() => {
      endCalls();
      timer = setTimeout(() => this.#cut(), FAREWELL_MS);
    }, graceMs);
    await ended;
    clearTimeout(timer);
    await stopped;
  }

  #cut(): void {
    // The connection before the session, so that clients know it as lost and not as an answer.
    for (const socket of this.#sockets) socket.destroy();
    for (const session of this.#sessions.keys()) session.destroy();
  }
}

// After the grace each client is told why its calls end. One that does not read does not learn it; nobody waits longer.
const FAREWELL_MS = 250;

// A client of grpc-js that is told to go away, or sees its connection closed, loses what it has received and not read,
// the end of calls included. This long after the end of the last call everyone but the slowest reader has read it.
const READING_MS = 500;

/** Says GOAWAY and closes when no call is open and the last one was read. */
function closeWhenRead(session: ServerHttp2Session, use: Use): void {
  if (use.open > 0) return; // Called again at its end.
  const waitMs = use.endedAt + READING_MS - performance.now();
  if (waitMs <= 0) return void session.close();
  const timer = setTimeout(() => closeWhenRead(session, use), waitMs);
  session.once("close", () => clearTimeout(timer));
}

// A new client's first call is on its way for as long as a round trip takes, and longer where the client is busy.
const FIRST_CALL_MS = 2_000;

/** Cuts a new session off once its first call was answered, or none has come. */
export function cutAfterAnswer(session: ServerHttp2Session): void {
  const timer = setTimeout(() => session.destroy(), FIRST_CALL_MS);
  session.once("close", () => clearTimeout(timer));
  session.once("stream", (stream) => stream.once("close", () => cutLater(session)));
}

/** Cuts a session off after the farewell, unless it ends before. */
function cutLater(session: ServerHttp2Session): void {
  const timer = setTimeout(() => session.destroy(), FAREWELL_MS);
  session.once("close", () => clearTimeout(timer));
}

/** Tells apart the connections of one listener; a session's socket is another object than the one accepted. */
function peerOf(
  { remoteAddress, remotePort, localAddress }: Pick<Socket, "remoteAddress" | "remotePort" | "localAddress">,
) {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}

const REASONS: Readonly<Record<string, readonly [AddressError["code"], string]>> = {
  EADDRINUSE: ["IN_USE", "another program listens there: give another port, or 0 for any"],
  EADDRNOTAVAIL: ["NOT_LOCAL", "this machine has no such address: give one of its own"],
  // How Deno's node:net says EADDRNOTAVAIL.
  EINVAL: ["NOT_LOCAL", "this machine has no such address: give one of its own"],
  ENOTFOUND: ["NOT_FOUND", "no address has this name: give an IP address"],
  EAI_AGAIN: ["NOT_FOUND", "no address has this name: give an IP address"],
  EACCES: ["NOT_ALLOWED", "not allowed: give a port from 1024 up"],
  EPERM: ["NOT_ALLOWED", "not allowed: give a port from 1024 up"],
};

function listenError(error: unknown, address: Address): AddressError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const [kind, why] = REASONS[code] ?? ["UNUSABLE", "see the cause"];
  return new AddressError(kind, `Cannot listen on "${formatAddress(address)}": ${why}`, { cause: error });
}
