/** Tests of rpc/compat/grpc_channel.ts. Its use by the client is tested in ../client/. */
import "../../../rpc/compat/http2_guard.ts";
import * as grpc from "@grpc/grpc-js";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createSecureContext } from "node:tls";
import { observeSockets, stopReconnecting } from "../../../rpc/compat/grpc_channel.ts";

/** A client whose first connection attempt has failed, because nothing listens on its port. */
async function failedClient(): Promise<grpc.Client> {
  const { port } = await closedPort();
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
    "grpc.initial_reconnect_backoff_ms": 20_000,
  });
  const bytes = (value: Buffer) => value;
  await new Promise<void>((resolve) => {
    client.makeUnaryRequest("/test.Echo/Echo", bytes, bytes, Buffer.alloc(1), () => resolve());
  });
  return client;
}

async function closedPort(): Promise<{ port: number }> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return await Promise.resolve({ port: listener.addr.port });
}

/** Returns the timers of a channel's next connection attempts, from private fields. */
function timersOf(channel: object): { isRunning(): boolean; stop(): void }[] {
  // deno-lint-ignore no-explicit-any -- the fields are private, and this test reports when they move
  const { pool } = (channel as any).internalChannel.subchannelPool;
  // deno-lint-ignore no-explicit-any -- see above
  return Object.values<any>(pool).flat().map(({ subchannel }) => subchannel.backoffTimeout);
}

Deno.test("stopReconnecting() is still needed because a closed channel keeps the timer of its next attempt", async () => {
  const client = await failedClient();
  const timers = timersOf(client.getChannel());
  client.close();
  assert.ok(timers.some((timer) => timer.isRunning()));
  for (const timer of timers) timer.stop();
});

Deno.test("stopReconnecting() stops the timer of the next attempt", async () => {
  const client = await failedClient();
  const timers = timersOf(client.getChannel());
  stopReconnecting(client.getChannel());
  assert.equal(timers.length, 1);
  assert.ok(!timers.some((timer) => timer.isRunning()));
  client.close();
});

Deno.test("stopReconnecting() leaves an object without the private fields unchanged", () => {
  const client = { other: 1 };
  stopReconnecting(client);
  assert.deepEqual(client, { other: 1 });
});

Deno.test("observeSockets() is still needed because credentials have no public way to a channel's sockets", () => {
  const credentials = grpc.credentials.createFromSecureContext(createSecureContext({}));
  const before = credentials._createSecureConnector;
  observeSockets(credentials, { connected: () => {}, secured: () => {} });
  assert.notEqual(credentials._createSecureConnector, before);
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(credentials));
  assert.deepEqual(names.filter((name) => /socket|connect/i.test(name)), ["_createSecureConnector"]);
});
