/** A server whose events and methods tests make throw. Import breakable_runtime.ts before this file. */
import "./breakable_runtime.ts";
import "../../../rpc/compat/http2_guard.ts";
import assert from "node:assert/strict";
import http2 from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { NetworkError } from "../../../rpc/server/server.ts";
import { connectTo, dropInput, serveLocally } from "../../support/rpc_server.ts";

/** The longest time that a test waits for one thing, in milliseconds. */
export const DEADLINE_MS = 120_000;

/** The HTTP/2 server that grpc-js creates. */
let http2Server: http2.Http2SecureServer | undefined;
const make = http2.createSecureServer;
http2.createSecureServer = ((options: http2.SecureServerOptions) => http2Server = make(options)) as typeof make;

/** A server with an open call that must continue, and its reports. */
export interface Stage extends AsyncDisposable {
  readonly server: http2.Http2SecureServer;
  readonly port: number;
  readonly reported: NetworkError[];
  readonly counts: ReadonlyMap<string, number>;
  /** Waits until an error of that kind was counted that many times. */
  counted(kind: string, times?: number): Promise<void>;
  /** Makes one call of each kind on a new connection. Their results do not matter. */
  use(): Promise<void>;
  /** Checks that the open call continues, and that a new client is served. */
  serves(): Promise<void>;
}

/** Starts a server with an open call. */
export async function stage(): Promise<Stage> {
  const reported: NetworkError[] = [];
  let counted = () => {};
  const beats: (() => void)[] = [];
  const rpc = await serveLocally({
    Status: ({ id }) => Promise.resolve({ id }),
    async *GetOutput({ id }, { signal }) {
      if (id !== "unrelated") {
        yield { data: new Uint8Array(100_000) };
        return;
      }
      while (!signal.aborted) {
        yield { data: new Uint8Array(1) };
        await new Promise<void>((resolve) => {
          beats.push(resolve);
          signal.addEventListener("abort", () => resolve(), { once: true });
        });
      }
    },
    Input: dropInput,
  }, {
    onNetworkError: (error) => {
      reported.push(error);
      // An error of the report must not end the process either.
      throw new Error("injected into the report");
    },
  });
  assert.ok(http2Server);
  const unrelated = connectTo(rpc);
  const messages = unrelated.calls.GetOutput({ id: "unrelated" })[Symbol.asyncIterator]();
  assert.equal((await messages.next()).done, false);
  return {
    server: http2Server,
    port: rpc.port,
    reported,
    counts: rpc.networkErrors,
    async counted(kind, times = 1) {
      const deadline = performance.now() + DEADLINE_MS;
      while ((rpc.networkErrors.get(kind) ?? 0) < times) {
        assert.ok(performance.now() < deadline, `${kind} was not counted: ${[...rpc.networkErrors.keys()]}`);
        await new Promise<void>((resolve) => {
          counted = resolve;
          setTimeout(counted, 10);
        });
      }
    },
    async use() {
      await using client = connectTo(rpc);
      const options = { deadlineMs: 2_000 };
      const input = async function* () {
        yield { id: "", data: new Uint8Array(10) };
      };
      await Promise.allSettled([
        client.calls.Status({ id: "victim" }, options),
        Array.fromAsync(client.calls.GetOutput({ id: "victim" }, options)),
        client.calls.Input(input(), options),
      ]);
    },
    async serves() {
      await using client = connectTo(rpc);
      assert.equal((await client.calls.Status({ id: "on" }, { deadlineMs: DEADLINE_MS })).id, "on");
      const next = messages.next();
      for (const beat of beats.splice(0)) beat();
      assert.equal((await next).done, false, "The unrelated call has ended");
    },
    async [Symbol.asyncDispose]() {
      await messages.return?.();
      await unrelated[Symbol.asyncDispose]();
      await rpc[Symbol.asyncDispose]();
    },
  };
}

/** A listener that throws. */
export const injected = () => {
  throw new Error("injected");
};

/** The parts of one connection. */
export interface Victim {
  readonly socket: Socket;
  readonly session: http2.ServerHttp2Session;
  readonly stream: http2.ServerHttp2Stream;
}

/** Returns the parts of the next connection that has a stream. */
export function nextVictim(server: http2.Http2SecureServer): Promise<Victim> {
  return new Promise((resolve) => {
    server.once("stream", (stream: http2.ServerHttp2Stream) => {
      const session = stream.session as http2.ServerHttp2Session;
      resolve({ socket: sockets.get(session)!, session, stream });
    });
  });
}

const sockets = new WeakMap<http2.ServerHttp2Session, Socket>();

/** Stores the socket of each session, because session.socket is a proxy. */
export function noteSockets(server: http2.Http2SecureServer): void {
  let latest: TLSSocket;
  server.prependListener("secureConnection", (socket) => latest = socket);
  server.prependListener("session", (session) => sockets.set(session, latest));
}
