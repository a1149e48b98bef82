/**
 * Tests of the limits of connections with real clients: their errors, and which connections are closed.
 * Slow: it waits for time limits.
 */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import type { PeerCertificate } from "../../../../proto/service.ts";
import { ca, clientCredentials } from "../../../support/certificates.ts";
import { connectTo, failure, serveLocally } from "../../../support/rpc_server.ts";
import { bob, destroyed, echo, eve, ownerOf, secured, silent, until } from "./clients.ts";
import { deadline } from "../../../support/deadline.ts";

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
  await deadline(new Promise<void>((resolve) => socket.resume().once("close", () => resolve())));
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
  await deadline(new Promise<void>((resolve) => socket!.resume().once("close", () => resolve())));
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
  // Together longer than the five seconds after which an idle one is closed, and each pause much shorter.
  for (let second = 0; second < 7; second++) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    assert.equal(server.connectionStatistics.open.guests, 1);
    assert.equal(await client.health(), "SERVING");
  }
  assert.equal(server.connectionStatistics.accepted, 1);
}

/** A TLS connection that sends no HTTP/2 is closed after ten seconds. */
async function closesWithoutHttp2(): Promise<void> {
  await using server = await serveLocally(echo);
  const socket = await secured(server, eve);
  await deadline(new Promise<void>((resolve) => socket.resume().once("close", () => resolve())));
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
