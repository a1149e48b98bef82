/**
 * Tests of rpc/compat/error_boundary.ts and safe_methods.ts. Every event, method and callback throws in turn. The server
 * must continue, and so must an unrelated call.
 */
import { broken, type SESSION_METHODS, type STREAM_METHODS } from "./breakable_runtime.ts";
import "../../../rpc/compat/http2_guard.ts";
import assert from "node:assert/strict";
import type { EventEmitter } from "node:events";
import http2 from "node:http2";
import type { Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { NetworkError } from "../../../rpc/server/server.ts";
import { clientCredentials } from "../../support/certificates.ts";
import { connectTo, serveLocally } from "../../support/rpc_server.ts";
import { DEADLY_WRITES } from "./deadly_writes.ts";

const DEADLINE_MS = 10_000;

/** The HTTP/2 server that grpc-js creates. */
let http2Server: http2.Http2SecureServer | undefined;
const make = http2.createSecureServer;
http2.createSecureServer = ((options: http2.SecureServerOptions) => http2Server = make(options)) as typeof make;

/** A server with an open call that must continue, and its reports. */
interface Stage extends AsyncDisposable {
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

async function stage(): Promise<Stage> {
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
    async Input(requests) {
      for await (const _ of requests);
      return {};
    },
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

const injected = () => {
  throw new Error("injected");
};

/** The parts of one connection. */
interface Victim {
  readonly socket: Socket;
  readonly session: http2.ServerHttp2Session;
  readonly stream: http2.ServerHttp2Stream;
}

/** Events that occur when a client makes calls and leaves. */
const NATURAL = {
  server: ["connection", "secureConnection", "session", "stream"],
  session: ["remoteSettings", "localSettings", "stream", "goaway", "close"],
  stream: ["data", "end", "finish", "prefinish", "wantTrailers", "close", "resume", "pause"],
  socket: ["data", "end", "close"],
} as const;

/** Rare events, which the test emits. */
const RARE = {
  server: ["sessionError", "clientError", "tlsClientError", "unknownProtocol", "timeout", "error", "priority"],
  session: ["error", "frameError", "timeout", "ping", "altsvc", "origin", "priority", "connect", "aborted"],
  stream: [
    "error",
    "frameError",
    "timeout",
    "aborted",
    "drain",
    "ready",
    "trailers",
    "headers",
    "priority",
    "readable",
  ],
  socket: ["error", "timeout", "drain", "secure", "session", "keylog", "OCSPResponse"],
} as const;

/** Returns the parts of the next connection that has a stream. */
function nextVictim(server: http2.Http2SecureServer): Promise<Victim> {
  return new Promise((resolve) => {
    server.once("stream", (stream: http2.ServerHttp2Stream) => {
      const session = stream.session as http2.ServerHttp2Session;
      resolve({ socket: sockets.get(session)!, session, stream });
    });
  });
}

const sockets = new WeakMap<http2.ServerHttp2Session, Socket>();

/** Stores the socket of each session, because session.socket is a proxy. */
function noteSockets(server: http2.Http2SecureServer): void {
  let latest: TLSSocket;
  server.prependListener("secureConnection", (socket) => latest = socket);
  server.prependListener("session", (session) => sockets.set(session, latest));
}

Deno.test("guardEmitter() lets a server continue when a natural event of the server throws", async () => {
  await using at = await stage();
  for (const event of NATURAL.server) {
    at.server.prependOnceListener(event, injected);
    await at.use();
    await at.counted(`server "${event}"`);
    await at.serves();
  }
});

for (const place of ["session", "stream", "socket"] as const) {
  Deno.test(`guardEmitter() lets a server continue when a natural event of a ${place} throws`, async () => {
    await using at = await stage();
    noteSockets(at.server);
    for (const event of NATURAL[place]) {
      const listen = (emitter: EventEmitter) => emitter.prependListener(event, injected);
      if (place === "session") at.server.prependOnceListener("session", listen);
      if (place === "socket") at.server.prependOnceListener("secureConnection", listen);
      const onStream = (stream: http2.ServerHttp2Stream) => void listen(stream);
      if (place === "stream") at.server.prependListener("stream", onStream);
      await at.use();
      at.server.off("stream", onStream);
      await at.counted(`${place} "${event}"`);
      await at.serves();
    }
  });
}

for (const place of ["server", "session", "stream", "socket"] as const) {
  Deno.test(
    `guardEmitter() lets a server continue when a rare event of a ${place} throws, or "error" has no listener`,
    async () => {
      await using at = await stage();
      noteSockets(at.server);
      for (const event of RARE[place]) {
        for (const listened of event === "error" ? [true, false] : [true]) {
          const victim = nextVictim(at.server);
          const used = at.use();
          const parts = await victim;
          const emitter = place === "server" ? at.server : parts[place];
          const before = at.counts.get(`${place} "${event}"`) ?? 0;
          if (listened) emitter.prependOnceListener(event, injected);
          else emitter.removeAllListeners("error");
          // The event loop emits it, as the runtime does, so that no caller can catch the error.
          setImmediate(() => emitter.emit(event, new Error("of the event"), parts.socket));
          await used;
          await at.counted(`${place} "${event}"`, before + 1);
          emitter.off(event, injected);
          await at.serves();
        }
      }
    },
  );
}

const CALLS_OF_STREAM: readonly [
  method: typeof STREAM_METHODS[number],
  call: (stream: http2.ServerHttp2Stream) => unknown,
][] = [
  ["respond", (stream) => stream.respond({ ":status": 200 })],
  ["additionalHeaders", (stream) => stream.additionalHeaders({ ":status": 103 })],
  ["pushStream", (stream) => stream.pushStream({ ":path": "/" }, () => {})],
  ["sendTrailers", (stream) => stream.sendTrailers({ a: "b" })],
  ["setTimeout", (stream) => stream.setTimeout(1_000)],
  ["close", (stream) => stream.close()],
  ["write", (stream) => stream.write(new Uint8Array(4))],
  ["end", (stream) => stream.end(new Uint8Array(4))],
];

Deno.test(
  "makeStreamMethodsSafe() makes every method of a stream safe: open, destroyed, and when the runtime throws",
  async () => {
    await using at = await stage();
    for (const [name, call] of CALLS_OF_STREAM) {
      const opened = nextVictim(at.server);
      const used = at.use();
      const { stream } = await opened;
      broken.method = `stream.${name}`;
      call(stream);
      broken.method = undefined;
      await at.counted(`stream.${name}()`);
      await used;
      assert.equal(stream.destroyed, true, "An error of the runtime ends the stream");
      const before = new Map(at.counts);
      for (const [, other] of CALLS_OF_STREAM) other(stream);
      stream.destroy();
      await at.serves();
      // The peer has ended the stream, which is not an error.
      for (const kind of ["stream.respond()", "stream.sendTrailers()", "stream.pushStream()"]) {
        assert.equal(at.counts.get(kind), before.get(kind), kind);
      }
    }
  },
);

const CALLS_OF_SESSION: readonly [
  method: typeof SESSION_METHODS[number],
  call: (session: http2.ServerHttp2Session) => unknown,
][] = [
  ["ping", (session) => session.ping(() => {})],
  ["settings", (session) => session.settings({}, () => {})],
  ["goaway", (session) => session.goaway()],
  ["setLocalWindowSize", (session) => session.setLocalWindowSize(100_000)],
  ["setTimeout", (session) => session.setTimeout(1_000)],
];

Deno.test("makeSessionMethodsSafe() makes every method of a session safe: destroyed, and when the runtime throws", async () => {
  await using at = await stage();
  for (const [name, call] of CALLS_OF_SESSION) {
    const opened = nextVictim(at.server);
    const used = at.use();
    const { session } = await opened;
    broken.method = `session.${name}`;
    call(session);
    broken.method = undefined;
    await at.counted(`session.${name}()`);
    await used;
    assert.equal(session.destroyed, true, "An error of the runtime ends the session");
    for (const [, other] of CALLS_OF_SESSION) other(session);
    session.close();
    session.destroy();
    await at.serves();
  }
});

Deno.test("guardCallback() lets a server continue when a callback of a stream or session throws", async () => {
  await using at = await stage();
  const callbacks: readonly [kind: string, (victim: Victim) => void][] = [
    ["stream.write() callback", ({ stream }) => void stream.write(new Uint8Array(4), injected)],
    ["stream.end() callback", ({ stream }) => void stream.end(new Uint8Array(4), injected)],
    ["stream.close() callback", ({ stream }) => stream.close(0, injected)],
    ["session.ping() callback", ({ session }) => void session.ping(injected)],
    ["session.settings() callback", ({ session }) => session.settings({}, injected)],
  ];
  for (const [kind, give] of callbacks) {
    const opened = nextVictim(at.server);
    const used = at.use();
    give(await opened);
    await at.counted(kind);
    await used;
    await at.serves();
  }
});

Deno.test("NetworkErrors counts every error and reports the first of each kind", async () => {
  await using at = await stage();
  for (let times = 0; times < 3; times++) {
    at.server.prependOnceListener("session", injected);
    await at.use();
  }
  await at.counted('server "session"', 3);
  assert.deepEqual(at.reported.map(({ kind }) => kind), ['server "session"']);
  assert.equal((at.reported[0]?.error as Error).message, "injected");
  await at.serves();
});

/** Sends bytes with a client certificate. Resolves when the server has closed the connection. */
function closedAfter(port: number, parts: readonly Uint8Array[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      host: "127.0.0.1",
      port,
      servername: "localhost",
      ALPNProtocols: ["h2"],
      ...clientCredentials,
    }, () => {
      socket.end(new Uint8Array(parts.flatMap((part) => [...part])));
      socket.resume();
    });
    const timer = setTimeout(() => reject(new Error("The server did not close")), DEADLINE_MS);
    socket.on("error", () => {});
    socket.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

for (const [name, frames] of DEADLY_WRITES) {
  Deno.test(`a guarded server survives ${name}`, async () => {
    await using at = await stage();
    for (let times = 0; times < 10; times++) await closedAfter(at.port, frames);
    await at.serves();
  });
}
