/** Tests of rpc/compat/ignore_streams.ts. */
import "../../../rpc/compat/http2_guard.ts";
import assert from "node:assert/strict";
import { once } from "node:events";
import http2 from "node:http2";
import { type AddressInfo, connect } from "node:net";
import { ignoreStreams } from "../../../rpc/compat/ignore_streams.ts";
import { connectionOf } from "./deadly_writes.ts";

/** Sends three requests in one write. Returns how many streams the session emits after `onFirst` ran. */
async function streamsAfter(onFirst: (session: http2.ServerHttp2Session) => void): Promise<number> {
  const server = http2.createServer();
  let streams = 0;
  server.on("session", (session) => {
    session.on("error", () => {});
    session.on("stream", (stream) => {
      stream.on("error", () => {});
      streams += 1;
      if (streams === 1) onFirst(session);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  socket.on("error", () => {});
  socket.end(connectionOf(3));
  socket.resume();
  await once(socket, "close");
  const closed = once(server, "close");
  server.close();
  await closed;
  return streams;
}

Deno.test("ignoreStreams() hides the other streams of the same read", async () => {
  const streams = await streamsAfter((session) => {
    ignoreStreams(session);
    session.destroy();
  });
  assert.equal(streams, 1);
});

Deno.test("ignoreStreams() is still needed because a closed session emits the other streams of the read", async () => {
  assert.equal(await streamsAfter((session) => session.destroy()), 3);
});
