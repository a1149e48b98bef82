/** Tests of rpc/compat/received_memory.ts: the memory of received data is freed, and every message arrives unchanged. */
import "../../../rpc/compat/http2_guard.ts";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { EventEmitter, once } from "node:events";
import http2 from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { free, freeEncrypted } from "../../../rpc/compat/received_memory.ts";
import { connectTo, serveLocally } from "../../support/rpc_server.ts";

Deno.test("free() frees large data, and keeps data that may share its memory", () => {
  const large = new Uint8Array(100_000);
  free(large);
  assert.equal(large.byteLength, 0);
  const small = new Uint8Array(100);
  const part = new Uint8Array(200_000).subarray(0, 100_000);
  free(small);
  free(part);
  assert.equal(small.byteLength, 100);
  assert.equal(part.byteLength, 100_000);
});

/** The sizes of the messages of a stream. */
const SIZES = [10, 4_096, 16_384, 65_536, 300_000];

Deno.test("Messages arrive unchanged when the memory of received data is freed", async () => {
  await using server = await serveLocally({
    async *GetOutput({ id }) {
      for (let n = 0; n < 100; n++) {
        if (n % (Number(id) + 1) === 0) await new Promise((resolve) => setImmediate(resolve));
        yield { data: new Uint8Array(SIZES[n % SIZES.length] ?? 0).fill(n), offset: n };
      }
    },
  });
  await using client = connectTo(server);
  await Promise.all(Array.from({ length: 4 }, async (_, id) => {
    let count = 0;
    for await (const { data, offset } of client.calls.GetOutput({ id: String(id) })) {
      assert.equal(data.length, SIZES[count % SIZES.length]);
      assert.ok(
        Buffer.from(data).equals(Buffer.alloc(data.length, offset)),
        `Message ${count} has the bytes of another`,
      );
      count += 1;
    }
    assert.equal(count, 100);
  }));
});

/** Counts the buffers that are freed, by whether free() was called from the handle of a connection. */
function countFreed() {
  const freed = { encrypted: 0, decrypted: 0 };
  const { transfer } = ArrayBuffer.prototype;
  ArrayBuffer.prototype.transfer = function (this: ArrayBuffer, length?: number) {
    const [caller, outer] = (new Error().stack ?? "").split("\n").slice(2);
    if (caller?.includes("received_memory.ts")) {
      freed[outer?.includes("received_memory.ts") ? "encrypted" : "decrypted"]++;
    }
    return transfer.call(this, length);
  };
  return { freed, [Symbol.dispose]: () => void (ArrayBuffer.prototype.transfer = transfer) };
}

Deno.test("A client frees encrypted and decrypted data, through the private field that Deno still has", async () => {
  await using server = await serveLocally({
    async *GetOutput() {
      yield await Promise.resolve({ data: new Uint8Array(1_000_000) });
    },
  });
  await using client = connectTo(server);
  using counted = countFreed();
  for await (const { data } of client.calls.GetOutput({ id: "1" })) assert.equal(data.length, 1_000_000);
  assert.ok(counted.freed.encrypted > 0);
  assert.ok(counted.freed.decrypted > 0);
});

Deno.test("freeEncrypted() leaves a socket without the private field unchanged", () => {
  const socket = new EventEmitter() as unknown as Socket;
  freeEncrypted(socket);
  assert.deepEqual(Object.keys(socket).includes("_handle"), false);
});

Deno.test("A session without TLS frees what it received", async () => {
  const server = http2.createServer((_, response) => response.end(new Uint8Array(100_000)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const session = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  let bytes = 0;
  for await (const part of session.request({ ":path": "/" })) bytes += (part as Uint8Array).length;
  assert.equal(bytes, 100_000);
  const closed = [once(session, "close"), once(server, "close")];
  session.close();
  server.close();
  await Promise.all(closed);
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

Deno.test("free() is still needed because V8 keeps over 32 MB of dropped buffers", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", DROPPED_BUFFERS] }).output();
  assert.ok(Number(new TextDecoder().decode(stdout)) > 32_000_000);
});
