/** Tests that rpc/compat/safe_methods.ts is still needed. They run without the guard, and so in a file of their own. */
import assert from "node:assert/strict";
import { once } from "node:events";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { deferClosing } from "../../../rpc/compat/session_closing.ts";

Deno.test("makeStreamMethodsSafe() is still needed because respond() throws on a destroyed stream", async () => {
  const server = http2.createServer();
  server.on("session", deferClosing);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  deferClosing(client);
  const request = client.request({ ":path": "/" });
  request.on("error", () => {});
  const [stream] = await once(server, "stream") as [http2.ServerHttp2Stream];
  stream.on("error", () => {});
  stream.destroy();
  assert.throws(() => stream.respond({ ":status": 200 }));
  const closed = [once(client, "close"), once(server, "close")];
  client.close();
  server.close();
  await Promise.all(closed);
});
