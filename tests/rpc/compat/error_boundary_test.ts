/**
 * Tests of rpc/compat/error_boundary.ts. Every event and callback throws in turn. The server must continue, and so must
 * an unrelated call.
 */
import { DEADLINE_MS, injected, nextVictim, noteSockets, stage, type Victim } from "./stage.ts";
import assert from "node:assert/strict";
import type { EventEmitter } from "node:events";
import type http2 from "node:http2";
import { connect as connectTls } from "node:tls";
import { clientCredentials } from "../../support/certificates.ts";
import { DEADLY_WRITES } from "./deadly_writes.ts";

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
