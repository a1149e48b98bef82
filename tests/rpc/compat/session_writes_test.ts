/** Tests of rpc/compat/session_writes.ts: few large writes, no faster than the socket takes them, and every byte. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { deferClosing } from "../../../rpc/compat/session_closing.ts";
import { joinWrites } from "../../../rpc/compat/session_writes.ts";
import { ca, serverCertificate } from "../../support/certificates.ts";
import { deadline } from "../../support/deadline.ts";

/** The memory of one write. */
const MAX_WRITE_BYTES = 147_456;
const ANSWER = Buffer.from(Uint8Array.from({ length: 4_000_000 }, (_, at) => (at * 31) >> 7));

/** A server that answers each request, and the sizes of its writes to the socket. */
interface WritingServer extends AsyncDisposable {
  readonly port: number;
  readonly writes: number[];
  /** The writes that have memory of their own, because the socket was busy. Freed memory has no bytes. */
  readonly copies: Uint8Array[];
  /** The most bytes that the socket had not taken. */
  mostQueued(): number;
}

async function serve(prepare: (session: http2.ServerHttp2Session) => void, answer = ANSWER): Promise<WritingServer> {
  const { cert, key } = serverCertificate;
  const server = http2.createSecureServer({ cert, key });
  const writes: number[] = [];
  const copies: Uint8Array[] = [];
  const sessions = new Set<http2.ServerHttp2Session>();
  let mostQueued = 0;
  server.prependListener("secureConnection", (socket: TLSSocket) => {
    const write = socket.write.bind(socket) as (bytes: Uint8Array, ...rest: unknown[]) => boolean;
    socket.write = ((bytes: Uint8Array, ...rest: unknown[]) => {
      writes.push(bytes.length);
      if (bytes.length >= 4_096 && bytes.length === bytes.buffer.byteLength) copies.push(bytes);
      const result = write(bytes, ...rest);
      mostQueued = Math.max(mostQueued, socket.writableLength);
      return result;
    }) as typeof socket.write;
  });
  server.on("session", (session) => {
    sessions.add(session);
    // A close while a session is read may crash Deno, and the guard that prevents it also joins writes.
    deferClosing(session);
    session.on("error", () => {});
    prepare(session);
  });
  server.on("stream", (stream: http2.ServerHttp2Stream) => {
    stream.on("error", () => {});
    stream.respond({ ":status": 200 });
    stream.end(answer);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    writes,
    copies,
    mostQueued: () => mostQueued,
    async [Symbol.asyncDispose]() {
      const ended = once(server, "close");
      for (const session of sessions) session.destroy();
      server.close();
      await deadline(ended);
    },
  };
}

/** Reads answers of a server, all at a time, with a window that never holds it up. */
async function read(port: number, count: number): Promise<Buffer[]> {
  const session = http2.connect(`https://localhost:${port}`, {
    ca: ca.cert,
    settings: { initialWindowSize: 2 ** 30 },
  });
  deferClosing(session);
  session.on("connect", () => session.setLocalWindowSize(2 ** 30));
  const answers = await deadline(Promise.all(Array.from({ length: count }, async () => {
    const parts: Buffer[] = [];
    for await (const part of session.request({ ":path": "/" })) parts.push(part);
    return Buffer.concat(parts);
  })));
  const closed = once(session, "close");
  session.close();
  await deadline(closed);
  return answers;
}

Deno.test("joinWrites() sends an answer in few writes", async () => {
  await using server = await serve((session) => assert.equal(joinWrites(session), true));
  const [answer] = await read(server.port, 1);
  assert.ok(answer?.equals(ANSWER));
  const least = ANSWER.length / MAX_WRITE_BYTES;
  assert.ok(server.writes.length < 2 * least, `${server.writes.length} writes`);
  assert.ok(Math.max(...server.writes) <= MAX_WRITE_BYTES);
});

Deno.test("joinWrites() is still needed because Deno writes each frame on its own", async () => {
  await using server = await serve(() => {});
  const [answer] = await read(server.port, 1);
  assert.ok(answer?.equals(ANSWER));
  assert.ok(server.writes.length >= ANSWER.length / 16_384, `${server.writes.length} writes`);
  assert.ok(server.mostQueued() > 2 * MAX_WRITE_BYTES, `${server.mostQueued()} bytes`);
});

Deno.test("joinWrites() passes little more to the socket than it takes, and keeps answers apart", async () => {
  await using server = await serve((session) => void joinWrites(session));
  const answers = await read(server.port, 5);
  assert.equal(answers.length, 5);
  for (const answer of answers) assert.ok(answer.equals(ANSWER));
  assert.ok(server.mostQueued() <= 2 * MAX_WRITE_BYTES, `${server.mostQueued()} bytes`);
});

Deno.test("joinWrites() frees the copies that waited for a busy socket", async () => {
  await using server = await serve((session) => void joinWrites(session));
  await read(server.port, 5);
  // The last ones may be on their way.
  const done = server.copies.slice(0, -2);
  assert.ok(done.length > 0);
  assert.equal(done.filter(({ length }) => length > 0).length, 0);
});

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** SETTINGS with a window of 2^30 for streams, and a WINDOW_UPDATE that gives the session as much. */
const WIDE = Buffer.from([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0x40, 0, 0, 0, 0, 0, 4, 8, 0, 0, 0, 0, 0, 0x3f, 0, 0, 0]);
/** HEADERS of `GET https /`, with an authority, that end the stream. */
const REQUEST = Buffer.from([0, 0, 6, 1, 5, 0, 0, 0, 1, 0x82, 0x87, 0x84, 0x41, 1, 0x61]);
/** DATA of stream 0, which HTTP/2 forbids. */
const FORBIDDEN = Buffer.from([0, 0, 1, 0, 0, 0, 0, 0, 0, 1]);

Deno.test("joinWrites() lets Deno end a session that broke the protocol while its socket was busy", async () => {
  // More than the system holds for a socket.
  await using server = await serve((session) => void joinWrites(session), Buffer.alloc(16_000_000));
  const socket = connect({
    port: server.port,
    host: "127.0.0.1",
    servername: "localhost",
    ca: ca.cert,
    ALPNProtocols: ["h2"],
  });
  await deadline(once(socket, "secureConnect"));
  socket.pause();
  socket.write(Buffer.concat([PREFACE, WIDE, REQUEST]));
  // The socket is busy: the client reads nothing.
  await deadline(
    new Promise<void>((resolve) => {
      let before = -1;
      const check = () => {
        if (server.writes.length > 1 && server.writes.length === before) return resolve();
        before = server.writes.length;
        setTimeout(check, 100);
      };
      check();
    }),
  );
  socket.write(FORBIDDEN);
  const ended = once(socket, "end");
  socket.resume();
  await deadline(ended, "the end of the connection");
  socket.destroy();
});
