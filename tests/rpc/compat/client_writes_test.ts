/** Tests of rpc/compat/session_writes.ts with calls: the frames of messages are joined, and every byte arrives. */
import "../../../rpc/compat/http2_guard.ts";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { TLSSocket } from "node:tls";
import { connectTo, dropInput, serveLocally } from "../../support/rpc_server.ts";
import { someBytes } from "../../support/random.ts";

/** Records the sizes of large writes to TLS sockets, until it is disposed of. */
function recordWrites(): { readonly sizes: number[] } & Disposable {
  const { write } = TLSSocket.prototype;
  const sizes: number[] = [];
  TLSSocket.prototype.write = function (this: TLSSocket, ...args: unknown[]) {
    const [data] = args;
    if (data instanceof Uint8Array && data.length > 1_000) sizes.push(data.length);
    return Reflect.apply(write, this, args);
  } as typeof write;
  return { sizes, [Symbol.dispose]: () => void (TLSSocket.prototype.write = write) };
}

Deno.test("A client sends its input in few large writes", async () => {
  using record = recordWrites();
  await using server = await serveLocally({
    Input: dropInput,
  });
  await using client = connectTo(server);
  await client.calls.Input((async function* () {
    for (let count = 0; count < 16; count++) yield await Promise.resolve({ data: new Uint8Array(262_144) });
  })());
  const bytes = record.sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(bytes > 16 * 262_144, `${bytes} bytes were written`);
  assert.ok(bytes / record.sizes.length > 3 * 16_384, `${record.sizes.length} writes for ${bytes} bytes`);
});

Deno.test("A server sends most messages of output in one write each", async () => {
  using record = recordWrites();
  await using server = await serveLocally({
    async *GetOutput() {
      const message = { data: new Uint8Array(131_072), cursor: "c".repeat(100) };
      for (let count = 0; count < 16; count++) yield await Promise.resolve({ ...message, offset: count * 131_072 });
    },
  });
  await using client = connectTo(server);
  let bytes = 0;
  for await (const { data } of client.calls.GetOutput({ id: "job" })) bytes += data.length;
  assert.equal(bytes, 16 * 131_072);
  // The end of a window divides some messages.
  assert.ok(record.sizes.length < 24, `${record.sizes.length} writes: ${record.sizes}`);
});

Deno.test("Input of several callers arrives unchanged when frames are joined and their memory is used again", async () => {
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
