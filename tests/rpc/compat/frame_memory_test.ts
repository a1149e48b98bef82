/** Tests of rpc/compat/frame_memory.ts: the memory of sent frames is freed, and every message arrives unchanged. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { freeSentFrames } from "../../../rpc/compat/frame_memory.ts";
import { connectTo, serveLocally } from "../../support/rpc_server.ts";

Deno.test("freeSentFrames() frees a large frame after it was sent, and keeps frames that share their memory", async () => {
  const large = Buffer.from(new Uint8Array(100_000).fill(1).buffer);
  const small = Buffer.from(new Uint8Array(100).fill(2).buffer);
  const shared = Buffer.from(new Uint8Array(200_000).fill(3).buffer, 0, 100_000);
  const server = http2.createServer();
  freeSentFrames(server as unknown as http2.Http2SecureServer, () => ({ queued: () => {}, sent: () => {} }));
  const sent = new Promise<void>((resolve, reject) =>
    server.on("stream", async (stream: http2.ServerHttp2Stream) => {
      try {
        stream.respond({ ":status": 200 });
        for (const frame of [large, small, shared]) {
          await new Promise<void>((written) => {
            stream.write(frame, () => written());
            assert.notEqual(frame.byteLength, 0, "A frame must not be freed before it was sent");
          });
        }
        stream.end();
        resolve();
      } catch (error) {
        reject(error);
      }
    })
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const session = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const parts: Buffer[] = [];
  for await (const part of session.request({ ":path": "/" })) parts.push(part);
  await sent;
  const expected = [[100_000, 1], [100, 2], [100_000, 3]] as const;
  assert.ok(Buffer.concat(parts).equals(Buffer.concat(expected.map(([size, fill]) => Buffer.alloc(size, fill)))));
  assert.equal(large.byteLength, 0);
  assert.equal(small.byteLength, 100);
  assert.equal(shared.byteLength, 100_000);
  const closed = [once(session, "close"), once(server, "close")];
  session.close();
  server.close();
  await Promise.all(closed);
});

Deno.test("freeSentFrames() keeps large messages of many concurrent streams unchanged", async () => {
  const sizes = [16_000, 16_384, 40_000, 65_536, 1_000_000];
  // Every message is one object for all streams, as a chunk of output is.
  const messages = Array.from({ length: 40 }, (_, n) => ({
    data: new Uint8Array(sizes[n % sizes.length] ?? 0).fill(n),
    offset: n,
  }));
  await using server = await serveLocally({
    async *GetOutput({ id }) {
      for (const [n, message] of messages.entries()) {
        // Each stream at a pace of its own, so that their messages are mixed.
        if (n % (Number(id) + 1) === 0) await new Promise((resolve) => setImmediate(resolve));
        yield message;
      }
    },
  });
  await using client = connectTo(server);
  await Promise.all(Array.from({ length: 8 }, async (_, id) => {
    let n = 0;
    for await (const { data, offset } of client.calls.GetOutput({ id: String(id) })) {
      assert.equal(offset, n);
      assert.equal(data.length, messages[n]?.data.length);
      assert.ok(data.every((byte) => byte === n), `Message ${n} of stream ${id} has the bytes of another`);
      n += 1;
      if (id === 7 && n === 20) break; // One breaks off.
    }
    assert.equal(n, id === 7 ? 20 : messages.length);
  }));
});

Deno.test("freeSentFrames() keeps large concurrent answers unchanged", async () => {
  await using server = await serveLocally({
    Status: ({ id }) => Promise.resolve({ id, args: [id.repeat(30_000)] }),
  });
  await using client = connectTo(server);
  const ids = ["a", "b", "c", "d", "e", "f", "g", "h"];
  const answers = await Promise.all(ids.map((id) => client.calls.Status({ id })));
  assert.deepEqual(answers.map(({ id, args }) => [id, args[0]]), ids.map((id) => [id, id.repeat(30_000)]));
});

/** A program that drops 200 buffers of 1 MB. It prints the most memory of buffers at a time, in bytes. */
const DROPPED_BUFFERS = `
  let most = 0;
  for (let count = 0; count < 200; count++) {
    new Uint8Array(1_000_000).fill(1);
    most = Math.max(most, Deno.memoryUsage().external);
    await new Promise((resolve) => setImmediate(resolve));
  }
  console.log(most);
`;

Deno.test("freeSentFrames() is still needed because V8 keeps over 32 MB of dropped buffers", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", DROPPED_BUFFERS] }).output();
  assert.ok(Number(new TextDecoder().decode(stdout)) > 32_000_000);
});
