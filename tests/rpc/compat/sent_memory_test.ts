/** Tests of rpc/compat/sent_memory.ts: the memory of sent frames is freed, and every message arrives unchanged. */
import "../../../rpc/compat/http2_guard.ts";
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { createHash } from "node:crypto";
import { freeWrittenFrames } from "../../../rpc/compat/sent_memory.ts";
import { connectTo, serveLocally } from "../../support/rpc_server.ts";
import { someBytes } from "../../support/random.ts";

/** A socket whose writes a test completes. */
class FakeSocket extends EventEmitter {
  readonly writes: { readonly data: Uint8Array | string; readonly rest: readonly unknown[] }[] = [];

  write(data: Uint8Array | string, ...rest: unknown[]): boolean {
    this.writes.push({ data, rest });
    return true;
  }
}

Deno.test("freeWrittenFrames() frees a frame when it was written, and not before", () => {
  const socket = new FakeSocket();
  freeWrittenFrames(socket);
  const frame = new Uint8Array(16_384);
  assert.equal(socket.write(frame), true);
  assert.equal(frame.length, 16_384);
  const [write] = socket.writes;
  (write?.rest.at(-1) as () => void)();
  assert.equal(frame.length, 0);
});

Deno.test("freeWrittenFrames() keeps what is written with a callback of the writer", () => {
  const socket = new FakeSocket();
  freeWrittenFrames(socket);
  const written = () => {};
  const data = new Uint8Array(16_384);
  socket.write(data, written);
  socket.write("text");
  assert.deepEqual(socket.writes, [{ data, rest: [written] }, { data: "text", rest: [] }]);
});

Deno.test("freeWrittenFrames() is still needed because a session writes each frame with a buffer of its own", async () => {
  const sizes = new Set<number>();
  const { transfer } = ArrayBuffer.prototype;
  ArrayBuffer.prototype.transfer = function (this: ArrayBuffer, length?: number) {
    if (new Error().stack?.includes("sent_memory.ts")) sizes.add(this.byteLength);
    return transfer.call(this, length);
  };
  try {
    await using server = await serveLocally({
      async Input(requests) {
        for await (const _ of requests);
        return {};
      },
    });
    await using client = connectTo(server);
    await client.calls.Input((async function* () {
      yield await Promise.resolve({ data: new Uint8Array(100_000) });
    })());
  } finally {
    ArrayBuffer.prototype.transfer = transfer;
  }
  assert.ok(sizes.has(16_384 + 9), `Freed: ${[...sizes].join(", ")}`);
});

Deno.test("Input of several callers arrives unchanged when the memory of sent data is freed", async () => {
  const digests = new Map<string, string>();
  await using server = await serveLocally({
    async Input(requests) {
      let id = "";
      const hash = createHash("sha256");
      for await (const message of requests) {
        id ||= message.id;
        hash.update(message.data);
      }
      digests.set(id, hash.digest("hex"));
      return {};
    },
  });
  await using client = connectTo(server);
  await Promise.all(["a", "b", "c", "d"].map(async (id) => {
    const hash = createHash("sha256");
    await client.calls.Input((async function* () {
      yield { id };
      for (let n = 0; n < 60; n++) {
        const data = someBytes([1, 5_000, 65_536, 262_144][n % 4] ?? 0);
        hash.update(data);
        yield { data };
        if (n % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    })());
    assert.equal(digests.get(id), hash.digest("hex"));
  }));
});
