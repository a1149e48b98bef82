/** Tests of rpc/compat/reader_window.ts: windows grow for a reader, and not for one that stops at once. */
import { plainPush, prototype } from "./plain_push.ts";
import assert from "node:assert/strict";
import { once } from "node:events";
import http2, { type ClientHttp2Session } from "node:http2";
import type { JobOutput } from "../../../proto/teleport/v1/job_worker.ts";
import type { RpcClient } from "../../../rpc/client/client.ts";
import { connectTo, serveLocally } from "../../support/rpc_server.ts";

const NARROW = 512 * 1024;
const WIDE = 4 * 1024 * 1024;
const MESSAGE_BYTES = 128 * 1024;

/** The sessions of all clients, the oldest first. */
const sessions: ClientHttp2Session[] = [];
const { connect } = http2;
http2.connect = ((...args: Parameters<typeof connect>) => {
  const session = connect(...args);
  sessions.push(session);
  return session;
}) as typeof connect;

/** Returns the window that the newest session has agreed on with its server. */
function newestWindow(): number | undefined {
  return sessions.at(-1)?.localSettings.initialWindowSize;
}

/** A server whose outputs never end. It counts the messages of each. */
async function endless() {
  const sent = new Map<string, number>();
  const server = await serveLocally({
    Status: ({ id }) => Promise.resolve({ id }),
    async *GetOutput({ id }, { signal }) {
      for (let count = 1; !signal.aborted; count++) {
        sent.set(id, count);
        yield await Promise.resolve({ data: new Uint8Array(MESSAGE_BYTES) });
      }
    },
  });
  return { server, sent, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

/** Opens an output, reads this many bytes of it, and leaves it open. */
async function read({ calls }: RpcClient, id: string, bytes: number): Promise<AsyncIterator<JobOutput>> {
  const output = calls.GetOutput({ id })[Symbol.asyncIterator]();
  for (let left = bytes; left > 0;) {
    const step = await output.next();
    assert.ok(!step.done);
    left -= step.value.data.length;
  }
  return output;
}

/** Waits until the server has sent all that an output takes without a reader. Returns the number of bytes. */
async function sentAhead({ calls }: RpcClient, sent: ReadonlyMap<string, number>, id: string): Promise<number> {
  // Each answer comes after what the server had to send on this connection.
  let before = -1;
  for (let quiet = 0; quiet < 20;) {
    await calls.Status({ id });
    const now = sent.get(id) ?? 0;
    quiet = now === before ? quiet + 1 : 0;
    before = now;
  }
  return (sent.get(id) ?? 0) * MESSAGE_BYTES;
}

Deno.test("The window of a connection grows when one of its outputs is read", async () => {
  await using job = await endless();
  await using client = connectTo(job.server);
  const output = await read(client, "a", WIDE);
  assert.equal(newestWindow(), NARROW);
  let readBytes = WIDE;
  while (newestWindow() === NARROW) {
    assert.ok(readBytes < 8 * WIDE, "The window does not grow");
    await output.next();
    readBytes += MESSAGE_BYTES;
  }
  assert.equal(newestWindow(), WIDE);
  const ahead = await sentAhead(client, job.sent, "a") - readBytes;
  assert.ok(ahead >= WIDE, `The server sends only ${ahead} bytes ahead of the reader`);
});

Deno.test("The window stays narrow for readers that stop after their first message", async () => {
  await using job = await endless();
  await using client = connectTo(job.server);
  for (const id of ["a", "b", "c"]) {
    await read(client, id, MESSAGE_BYTES);
    const bytes = await sentAhead(client, job.sent, id);
    assert.ok(bytes < WIDE, `${bytes} bytes were sent to a client that does not read`);
  }
  assert.equal(newestWindow(), NARROW);
});

Deno.test("The window is narrow again while a connection has many calls", async () => {
  await using job = await endless();
  await using client = connectTo(job.server);
  const output = await read(client, "a", 4 * WIDE);
  assert.equal(newestWindow(), WIDE);
  await Promise.all(["b", "c", "d", "e"].map((id) => read(client, id, MESSAGE_BYTES)));
  for (let count = 0; newestWindow() === WIDE; count++) {
    assert.ok(count < 200, "The window stays wide");
    await output.next();
  }
  assert.equal(newestWindow(), NARROW);
});

Deno.test("A new connection begins narrow after the last one was wide", async () => {
  await using job = await endless();
  await using client = connectTo(job.server);
  const output = await read(client, "a", 4 * WIDE);
  assert.equal(newestWindow(), WIDE);
  const { length } = sessions;
  const lost = sessions.at(-1)!;
  const closed = once(lost, "close");
  lost.destroy();
  await closed;
  await assert.rejects(async () => {
    while (!(await output.next()).done);
  });
  await read(client, "b", MESSAGE_BYTES);
  assert.equal(sessions.length, length + 1);
  assert.equal(newestWindow(), NARROW);
});

Deno.test("widenForReaders() is still needed because a connection of grpc-js keeps its width", async () => {
  const { push } = prototype;
  prototype.push = plainPush;
  try {
    await using job = await endless();
    await using client = connectTo(job.server);
    await read(client, "a", 4 * WIDE);
    assert.equal(newestWindow(), NARROW);
  } finally {
    prototype.push = push;
  }
});
