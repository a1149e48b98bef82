/**
 * Tests of the limits of connections with real clients: their errors, and which connections are closed.
 * Slow: it waits for time limits.
 */
import assert from "node:assert/strict";
import { type ClientHttp2Stream, connect as connectHttp2, constants as http2Constants } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ConnectionOwner } from "../../../../rpc/server/server.ts";
import type { RpcServer } from "../../../../rpc/server/server.ts";
import { TeleportError } from "../../../../mod.ts";
import type { CallContext, PeerCertificate } from "../../../../proto/service.ts";
import { ca, clientCredentials, credentials, issue } from "../../../support/certificates.ts";
import { connectTo, failure, serveLocally } from "../../../support/rpc_server.ts";

const echo = { Status: ({ id }: { id: string }) => Promise.resolve({ id }) } as never;

/** Only ann and bob have a role. */
function ownerOf({ commonNames: [user = ""] }: PeerCertificate): ConnectionOwner {
  return { user, isMember: user === "ann" || user === "bob" };
}

const bob = credentials(ca, await issue({ subject: [["CN", "bob"]], usage: "client", issuer: ca }));
const eve = credentials(ca, await issue({ subject: [["CN", "eve"]], usage: "client", issuer: ca }));

/** Waits until a server's connections are as expected. Fails after ten seconds. */
async function until(server: RpcServer, wanted: (server: RpcServer) => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!wanted(server)) {
    assert.ok(performance.now() < deadline, JSON.stringify(server.connectionStatistics));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Opens silent connections. */
async function silent(server: RpcServer, count: number): Promise<Socket[]> {
  return await Promise.all(Array.from({ length: count }, () => {
    const socket = connectTcp(server.port, "127.0.0.1").on("error", () => {});
    return new Promise<Socket>((resolve) => socket.once("connect", () => resolve(socket)));
  }));
}

/** Opens a TLS connection that stays silent after its handshake. */
function secured(server: RpcServer, { ca, cert, key }: typeof eve, protocols: string[] = ["h2"]): Promise<Socket> {
  const options = { host: "127.0.0.1", port: server.port, servername: "localhost", ca, cert, key };
  return new Promise((resolve) => {
    const socket = connectTls({ ...options, ALPNProtocols: protocols }, () => resolve(socket));
    socket.on("error", () => {});
  });
}

async function destroyed(sockets: Iterable<Socket>): Promise<void> {
  for (const socket of sockets) {
    if (!socket.closed) await new Promise<void>((resolve) => socket.once("close", () => resolve()).destroy());
  }
}

Deno.test("new clients connect while silent connections use all slots", async () => {
  const refused: string[] = [];
  await using server = await serveLocally(echo, {
    maxConnections: 32,
    onConnectionRefused: ({ cause }) => void refused.push(cause),
  });
  const silentSockets = await silent(server, 200);
  for (let count = 0; count < 5; count++) {
    await using client = connectTo(server);
    assert.equal((await client.calls.Status({ id: "in" })).id, "in");
  }
  const { open, refused: counts } = server.connectionStatistics;
  assert.ok(open.waiting <= 8, `${open.waiting} wait`);
  assert.ok(counts.WAITING_LIMIT >= 192, JSON.stringify(counts));
  assert.equal(refused.length, counts.WAITING_LIMIT);
  await destroyed(silentSockets);
  await until(server, ({ connections }) => connections === 0);
});

Deno.test("a user with too many connections gets an error, and other users are served", async () => {
  await using server = await serveLocally(echo, { ownerOf, maxConnectionsPerUser: 2 });
  await using first = connectTo(server);
  await using second = connectTo(server);
  await using third = connectTo(server);
  await Promise.all([first.calls.Status({ id: "" }), second.calls.Status({ id: "" })]);
  const { status, message } = await failure(third.calls.Status({ id: "" }));
  assert.equal(status, "RESOURCE_EXHAUSTED");
  assert.match(message, /^Too many connections: user "ann" has 2 connections, the most of one user\. Close some/);
  await using other = connectTo(server, bob);
  assert.equal((await other.calls.Status({ id: "in" })).id, "in");
  assert.equal(server.connectionStatistics.refused.USER_LIMIT, 1);
  await first[Symbol.asyncDispose]();
  await until(server, ({ connectionStatistics: { open } }) => open.members === 2 && open.guests === 0);
  await using fourth = connectTo(server);
  assert.equal((await fourth.calls.Status({ id: "in" })).id, "in");
});

Deno.test("the user with the most connections loses one to a user with few", async () => {
  // Users have 18 of 32 connections.
  await using server = await serveLocally(echo, { ownerOf, maxConnections: 32, maxConnectionsPerUser: 18 });
  const { cert, key } = clientCredentials;
  const crowd = await Promise.all(
    Array.from({ length: 18 }, () => secured(server, { ca: ca.cert, cert, key })),
  );
  await until(server, ({ connectionStatistics: { open } }) => open.members === 18);
  await using other = connectTo(server, bob);
  assert.equal((await other.calls.Status({ id: "in" })).id, "in");
  assert.equal(server.connectionStatistics.refused.CONNECTION_LIMIT, 1);
  await destroyed(crowd);
});

Deno.test("a TLS connection without HTTP/2 is closed", async () => {
  await using server = await serveLocally(echo);
  const socket = await secured(server, eve, []);
  await new Promise<void>((resolve) => socket.resume().once("close", () => resolve()));
  await until(server, ({ connections }) => connections === 0);
  assert.equal(server.connectionStatistics.refused.NO_HTTP2, 1);
});

Deno.test("an address cannot exceed its limit of connections", async () => {
  await using server = await serveLocally(echo, { maxConnectionsPerAddress: 3 });
  const silentSockets = await silent(server, 3);
  await until(server, ({ connections }) => connections === 3);
  await using refused = connectTo(server);
  assert.equal((await failure(refused.calls.Status({}))).status, "UNAVAILABLE");
  assert.ok(server.connectionStatistics.refused.ADDRESS_LIMIT >= 1);
  await destroyed(silentSockets);
  // The refused client reconnects by itself.
  await until(server, ({ connectionStatistics: { open } }) => open.waiting === 0);
  await using client = connectTo(server);
  assert.equal((await client.calls.Status({ id: "in" })).id, "in");
});

/** A connection that sends nothing for ten seconds is closed and reported. */
async function closesSilent(): Promise<void> {
  const failures: string[] = [];
  await using server = await serveLocally(echo, { onHandshakeFailure: ({ reason }) => void failures.push(reason) });
  const [socket] = await silent(server, 1);
  const startedAt = performance.now();
  await new Promise<void>((resolve) => socket!.resume().once("close", () => resolve()));
  assert.ok(performance.now() - startedAt > 9_900);
  assert.deepEqual(failures, ["closed: it did not start TLS for 10 s"]);
  assert.equal(server.connectionStatistics.refused.SILENT, 1);
}

/** Idle clients without a role are closed after five seconds, and never use the slots of users. */
async function closesIdleGuests(): Promise<void> {
  // Such clients have 2 of 32 connections.
  await using server = await serveLocally(echo, { ownerOf, maxConnections: 32 });
  const crowd: Socket[] = [];
  for (let count = 0; count < 20; count++) crowd.push(await secured(server, eve));
  await until(server, ({ connectionStatistics: { open } }) => open.handshakes === 0);
  assert.ok(server.connectionStatistics.open.guests <= 2);
  assert.ok(server.connectionStatistics.refused.GUEST_LIMIT >= 18);
  await using user = connectTo(server);
  assert.equal((await user.calls.Status({ id: "in" })).id, "in");
  const startedAt = performance.now();
  await until(server, ({ connectionStatistics: { open } }) => open.guests === 0);
  assert.ok(performance.now() - startedAt > 4_000);
  assert.equal(server.connectionStatistics.refused.GUEST_IDLE, 2);
  await destroyed(crowd);
}

/** A client without a role keeps its connection when it calls health now and then. */
async function keepsCallingGuests(): Promise<void> {
  await using server = await serveLocally(echo, { ownerOf });
  await using client = connectTo(server, eve);
  assert.equal(await client.health(), "SERVING");
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  assert.equal(await client.health(), "SERVING");
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  assert.equal(server.connectionStatistics.open.guests, 1);
  assert.equal(await client.health(), "SERVING");
  assert.equal(server.connectionStatistics.accepted, 1);
}

/** A TLS connection that sends no HTTP/2 is closed after ten seconds. */
async function closesWithoutHttp2(): Promise<void> {
  await using server = await serveLocally(echo);
  const socket = await secured(server, eve);
  await new Promise<void>((resolve) => socket.resume().once("close", () => resolve()));
  assert.equal(server.connectionStatistics.refused.NO_HTTP2, 1);
}

/** A change of the policy moves connections to other slots. */
async function movesWithThePolicy(): Promise<void> {
  const members = new Set(["ann"]);
  const ownerByPolicy = ({ commonNames: [user = ""] }: PeerCertificate) => ({ user, isMember: members.has(user) });
  await using server = await serveLocally(echo, { ownerOf: ownerByPolicy });
  await using ann = connectTo(server);
  await using guest = connectTo(server, bob);
  await Promise.all([ann.calls.Status({ id: "" }), guest.health()]);
  assert.deepEqual([server.connectionStatistics.open.members, server.connectionStatistics.open.guests], [1, 1]);
  members.add("bob").delete("ann");
  server.reclassify();
  assert.deepEqual([server.connectionStatistics.open.members, server.connectionStatistics.open.guests], [1, 1]);
  // Ann has lost her role and makes no call.
  await until(server, ({ connectionStatistics: { open } }) => open.guests === 0);
  assert.equal(server.connectionStatistics.open.members, 1);
}

// These run at the same time, because each waits for seconds.
Deno.test("idle connections are closed after their time limit, and no others", async () => {
  await Promise.all([
    closesSilent(),
    closesIdleGuests(),
    keepsCallingGuests(),
    closesWithoutHttp2(),
    movesWithThePolicy(),
  ]);
});

/** Opens a connection without a gRPC library. */
function openSession(server: RpcServer, { ca, cert, key }: typeof eve) {
  const session = connectHttp2(`https://localhost:${server.port}`, { ca, cert, key });
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
    const session = connectHttp2(`https://localhost:${server.port}`, { ca, cert, key });
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
    await new Promise<void>((resolve) => session.once("close", () => resolve()).destroy());
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
  assert.deepEqual(rude.goaways, [http2Constants.NGHTTP2_ENHANCE_YOUR_CALM]);
  assert.equal(server.connectionStatistics.refused.REFUSED_CALLS, 1);
  await other.calls.Status({ id: "" });
  assert.equal(server.connectionStatistics.accepted, 4);
});
