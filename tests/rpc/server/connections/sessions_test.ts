/** Tests of rpc/server/connections/sessions.ts: the limits of calls on one session. */
import assert from "node:assert/strict";
// The default export, because only its connect() is guarded.
import http2, { type ClientHttp2Stream } from "node:http2";
import { TeleportError } from "../../../../mod.ts";
import type { CallContext } from "../../../../proto/service.ts";
import type { RpcServer } from "../../../../rpc/server/server.ts";
import { clientCredentials } from "../../../support/certificates.ts";
import { connectTo, serveLocally } from "../../../support/rpc_server.ts";
import { bob, echo, eve, until } from "./clients.ts";
import { deadline } from "../../../support/deadline.ts";

/** Opens a connection without a gRPC library. */
function openSession(server: RpcServer, { ca, cert, key }: typeof eve) {
  const session = http2.connect(`https://localhost:${server.port}`, { ca, cert, key });
  const goaways: number[] = [];
  session.on("error", () => {}).on("goaway", (code) => goaways.push(code));
  const closed = new Promise<void>((resolve) => session.once("close", () => resolve()));
  return {
    goaways,
    closed,
    /** Makes a call with an empty message. */
    call(path: string): ClientHttp2Stream {
      const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc" });
      stream.on("error", () => {}).resume().end(new Uint8Array(5));
      return stream;
    },
    async [Symbol.asyncDispose]() {
      session.destroy();
      await closed;
    },
  };
}

Deno.test("a client may have 100 calls at a time without a role, and 2,000 with one", async () => {
  const members = new Set(["ann"]);
  await using server = await serveLocally(echo, {
    ownerOf: ({ commonNames: [user = ""] }) => ({ user, isMember: members.has(user) }),
  });
  const open = ({ ca, cert, key }: typeof eve) => {
    const session = http2.connect(`https://localhost:${server.port}`, { ca, cert, key });
    const limits: unknown[] = [];
    session.on("error", () => {}).on("remoteSettings", ({ maxConcurrentStreams }) => limits.push(maxConcurrentStreams));
    return { session, limits };
  };
  const guest = open(eve);
  const member = open(clientCredentials);
  await until(server, () => guest.limits.at(-1) === 100 && member.limits.at(-1) === 2_000);
  members.add("eve");
  server.reclassify();
  // Deno sends new settings when it next reads.
  guest.session.ping(() => {});
  await until(server, () => guest.limits.at(-1) === 2_000);
  for (const { session } of [guest, member]) {
    await deadline(new Promise<void>((resolve) => session.once("close", () => resolve()).destroy()));
  }
});

Deno.test("a user's connection is closed after 1,000 refused calls in 10 seconds, and no other", async () => {
  const admit = ({ method }: CallContext) => {
    if (method.endsWith("/Stop")) throw new TeleportError("PERMISSION_DENIED", "No");
  };
  await using server = await serveLocally(echo, { admit, ownerOf: () => ({ user: "ann", isMember: true }) });
  await using other = connectTo(server, bob);
  await other.calls.Status({ id: "" });
  for (const path of ["/teleport.v1.JobWorker/Stop", "/no.such/Call"]) {
    await using polite = openSession(server, clientCredentials);
    const ended = Array.from({ length: 500 }, () => {
      const { promise, resolve } = Promise.withResolvers<number>();
      const stream = polite.call(path);
      stream.once("close", () => resolve(stream.rstCode));
      return promise;
    });
    // Each call got its answer.
    assert.deepEqual(new Set(await Promise.all(ended)), new Set([0]));
    assert.deepEqual(polite.goaways, []);
  }
  assert.equal(server.connectionStatistics.refused.REFUSED_CALLS, 0);
  await using rude = openSession(server, clientCredentials);
  rude.call("/no.such/Call");
  await rude.closed;
  // The guarded client closes a moment later, and may see the orderly end of the connection too.
  assert.equal(rude.goaways[0], http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
  assert.equal(server.connectionStatistics.refused.REFUSED_CALLS, 1);
  await other.calls.Status({ id: "" });
  assert.equal(server.connectionStatistics.accepted, 4);
});
