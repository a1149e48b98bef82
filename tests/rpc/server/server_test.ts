/** Tests of rpc/server/server.ts: listening, admission and limits. */
import assert from "node:assert/strict";
// The default export, because only its connect() is guarded.
import http2 from "node:http2";
import * as grpc from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import { LimitReachedError, TeleportError } from "../../../mod.ts";
import type { CallContext } from "../../../proto/service.ts";
import { connect } from "../../../rpc/client/client.ts";
import { AddressError } from "../../../rpc/server/server.ts";
import { clientCredentials } from "../../support/certificates.ts";
import { bareClient, reflect } from "./bare_client.ts";
import { aborted, all, connectTo, failure, serveLocally } from "../../support/rpc_server.ts";
import { deadline, eventually } from "../../support/deadline.ts";

const echo = { Status: ({ id }: { id: string }) => Promise.resolve({ id }) };

/** A handler of a stream that sends one message and then waits until its client has left. */
function quiet(whenLeft: (signal: AbortSignal) => void = () => {}) {
  return async function* (_: unknown, { signal }: CallContext) {
    yield { pid: 1 };
    await aborted(signal);
    whenLeft(signal);
  };
}

for (const host of ["127.0.0.1", "0.0.0.0", "::1", "::", "localhost"]) {
  Deno.test(`serve() listens on ${host}`, async () => {
    await using server = await serveLocally(echo, { host });
    assert.equal(server.host, host);
    assert(server.port > 0);
    const reachable = host === "localhost" ? "localhost" : host.includes(":") ? "[::1]" : "127.0.0.1";
    await using client = connect({ address: `${reachable}:${server.port}`, credentials: clientCredentials });
    assert.equal((await client.calls.Status({ id: "a" })).id, "a");
  });
}

const unusable: [string, string, AddressError["code"], RegExp][] = [
  [
    "an address of another machine",
    "192.0.2.1",
    "NOT_LOCAL",
    /"192\.0\.2\.1:0": this machine does not have the address/,
  ],
  ["an unknown name", "no-such-host.invalid", "NOT_FOUND", /no address has this name/],
];

for (const [what, host, code, pattern] of unusable) {
  Deno.test(`serve() throws for ${what}`, async () => {
    await assert.rejects(serveLocally({}, { host }), (error) => {
      assert(error instanceof AddressError);
      assert.equal(error.code, code);
      assert.match(error.message, pattern);
      return true;
    });
  });
}

Deno.test("serve() throws when another server uses the port", async () => {
  await using server = await serveLocally({});
  await assert.rejects(serveLocally({}, { port: server.port }), { name: "AddressError", code: "IN_USE" });
});

Deno.test("serve() calls admit() before every call of every service", async () => {
  const asked: string[] = [];
  let called = 0;
  await using server = await serveLocally({
    Status: () => Promise.resolve({ pid: called++ }),
    Start: quiet(() => called++),
  }, {
    admit: ({ method, peer }) => {
      assert.match(peer, /^127\.0\.0\.1:\d+$/);
      asked.push(method);
      throw new TeleportError("PERMISSION_DENIED", "Not you: ask for a role");
    },
  });
  await using client = connectTo(server);
  for (const call of [() => client.calls.Status({}), () => all(client.calls.Start({})), () => client.health()]) {
    const { status, code, message } = await failure(call());
    assert.deepEqual([status, code, message], ["PERMISSION_DENIED", "PERMISSION_DENIED", "Not you: ask for a role"]);
  }
  await assert.rejects(reflect(server), { code: grpc.status.PERMISSION_DENIED });
  assert.deepEqual(asked, [
    "/teleport.v1.JobWorker/Status",
    "/teleport.v1.JobWorker/Start",
    "/grpc.health.v1.Health/Check",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
  ]);
  assert.equal(called, 0);
});

Deno.test("serve() answers INTERNAL when admit() throws an unexpected error", async () => {
  const reported: unknown[] = [];
  const error = new Error("secret");
  await using server = await serveLocally(echo, {
    admit: () => {
      throw error;
    },
    onInternalError: (error) => void reported.push(error),
  });
  await using client = connectTo(server);
  const { status, message } = await failure(client.calls.Status({}));
  assert.equal(status, "INTERNAL");
  assert.doesNotMatch(message, /secret/);
  assert.deepEqual(reported, [error]);
});

Deno.test("a request above the limit is refused, and the server continues", async () => {
  let reached = 0;
  await using server = await serveLocally({
    ...echo,
    Register: () => Promise.resolve({ pid: ++reached }),
  });
  await using client = connectTo(server);
  const args = Array<string>(10).fill("x".repeat(200_000));
  await client.calls.Register({ args });
  assert.equal(reached, 1);
  const { status } = await failure(client.calls.Register({ args: [...args, ...args] }));
  assert.equal(status, "RESOURCE_EXHAUSTED");
  assert.equal(reached, 1);
  assert.equal((await client.calls.Status({ id: "on" })).id, "on");
});

Deno.test("a request that is not a message, or has a string that is not UTF-8, is refused", async () => {
  await using server = await serveLocally({
    Status: ({ id }) => Promise.reject(new LimitReachedError(`Refused ${id}`)),
  });
  const client = bareClient(server);
  const send = (...bytes: number[]) =>
    new Promise((_, reject) =>
      client.makeUnaryRequest(
        "/teleport.v1.JobWorker/Status",
        (message: Buffer) => message,
        (message) => message,
        Buffer.from(bytes),
        reject,
      )
    );
  await assert.rejects(send(0x0a, 200), { code: grpc.status.INVALID_ARGUMENT });
  // This is half of a character that takes two.
  await assert.rejects(send(0x0a, 3, 0xed, 0xa0, 0x80), {
    code: grpc.status.INVALID_ARGUMENT,
    details: "'id' must be UTF-8: its bytes are not valid UTF-8",
  });
  client.close();
  await using good = connectTo(server);
  assert.equal((await failure(good.calls.Status({ id: "a" }))).message, "Refused a");
});

Deno.test("a call of an unknown method fails with UNIMPLEMENTED", async () => {
  await using server = await serveLocally({});
  const client = bareClient(server);
  const call = new Promise((_, reject) =>
    client.makeUnaryRequest(
      "/teleport.v1.JobWorker/Nothing",
      (message: Buffer) => message,
      (message) => message,
      Buffer.alloc(0),
      reject,
    )
  );
  await assert.rejects(call, { code: grpc.status.UNIMPLEMENTED });
  client.close();
});

Deno.test("a call with too much metadata is refused before its handler", async () => {
  let reached = 0;
  await using server = await serveLocally({ Status: () => Promise.resolve({ pid: ++reached }) });
  const { ca, cert, key } = clientCredentials;
  const session = http2.connect(`https://localhost:${server.port}`, { ca, cert, key });
  session.on("error", () => {});
  const headers = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`x-${index}`, "a".repeat(1_000)]));
  const stream = session.request({
    ":method": "POST",
    ":path": "/teleport.v1.JobWorker/Status",
    "content-type": "application/grpc",
    ...headers,
  });
  stream.on("error", () => {});
  await deadline(new Promise<void>((resolve) => stream.once("close", () => resolve()).end(Buffer.alloc(5))));
  await deadline(new Promise<void>((resolve) => session.once("close", () => resolve()).destroy()));
  assert.equal(reached, 0);
  await using client = connectTo(server);
  assert.equal((await client.calls.Status({})).pid, 1);
});

Deno.test("one connection carries 1,100 streams", async () => {
  await using server = await serveLocally({ Start: quiet(), ...echo });
  await using client = connectTo(server);
  const streams = Array.from({ length: 1_100 }, () => client.calls.Start({})[Symbol.asyncIterator]());
  for (const { value } of await Promise.all(streams.map((stream) => stream.next()))) assert.equal(value?.pid, 1);
  assert.equal((await client.calls.Status({ id: "also" })).id, "also");
  assert.equal(server.connections, 1);
});

Deno.test("a server survives 25 clients that make 100 calls at once and leave", async () => {
  await using server = await serveLocally(echo);
  for (let times = 0; times < 25; times++) {
    await using client = connectTo(server);
    await Promise.all(Array.from({ length: 100 }, (_, index) => client.calls.Status({ id: `${index}` })));
  }
  await eventually(() => server.connections === 0, "the end of all connections");
});
