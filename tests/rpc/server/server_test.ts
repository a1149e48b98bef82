/** Tests of rpc/server/server.ts: listening, admission, limits, health, reflection and shutdown. */
import assert from "node:assert/strict";
import { connect as connectTcp } from "node:net";
import { connect as connectHttp2 } from "node:http2";
import * as grpc from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import { LimitReachedError, TeleportError } from "../../../mod.ts";
import type { CallContext } from "../../../proto/service.ts";
import { connect } from "../../../rpc/client/client.ts";
import { healthMethods } from "../../../rpc/shared/health_definition.ts";
import { AddressError } from "../../../rpc/server/server.ts";
import { clientCredentials } from "../../support/certificates.ts";
import { aborted, all, connectTo, failure, serveLocally } from "../../support/rpc_server.ts";

const echo = { Status: ({ id }: { id: string }) => Promise.resolve({ id }) };

/** A handler of a stream that sends one message and then waits until its client has left. */
function quiet(whenLeft: (signal: AbortSignal) => void = () => {}) {
  return async function* (_: unknown, { signal }: CallContext) {
    yield { pid: 1 };
    await aborted(signal);
    whenLeft(signal);
  };
}

/** A client of grpc-js alone, for calls that our client cannot make. */
function bareClient({ port }: { port: number }): grpc.Client {
  const { ca, cert, key } = clientCredentials;
  return new grpc.Client(
    `localhost:${port}`,
    grpc.credentials.createSsl(Buffer.from(ca), Buffer.from(key), Buffer.from(cert)),
    { "grpc.use_local_subchannel_pool": 1 },
  );
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

for (const [what, host, code, sentence] of unusable) {
  Deno.test(`serve() throws for ${what}`, async () => {
    await assert.rejects(serveLocally({}, { host }), (error) => {
      assert(error instanceof AddressError);
      assert.equal(error.code, code);
      assert.match(error.message, sentence);
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
  const session = connectHttp2(`https://localhost:${server.port}`, { ca, cert, key });
  session.on("error", () => {});
  const headers = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`x-${index}`, "a".repeat(1_000)]));
  const stream = session.request({
    ":method": "POST",
    ":path": "/teleport.v1.JobWorker/Status",
    "content-type": "application/grpc",
    ...headers,
  });
  stream.on("error", () => {});
  await new Promise<void>((resolve) => stream.once("close", () => resolve()).end(Buffer.alloc(5)));
  await new Promise<void>((resolve) => session.once("close", () => resolve()).destroy());
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

Deno.test("setServing() sets the answer of health", async () => {
  await using server = await serveLocally({});
  await using client = connectTo(server);
  assert.equal(await client.health(), "SERVING");
  server.setServing(false);
  assert.equal(await client.health(), "NOT_SERVING");
  server.setServing(true);
  assert.equal(await client.health(), "SERVING");
});

Deno.test("Health lists its services, and sends every change to its watchers", async () => {
  const server = await serveLocally({});
  const client = bareClient(server);
  const { Check, List, Watch } = healthMethods();
  const ask = (method: typeof Check, service: string) =>
    new Promise<Record<string, unknown>>((resolve, reject) =>
      client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        { service },
        (error, answer) => error ? reject(error) : resolve(answer),
      )
    );
  assert.deepEqual(await ask(Check, "teleport.v1.JobWorker"), { status: "SERVING" });
  await assert.rejects(ask(Check, "other"), { code: grpc.status.NOT_FOUND });
  assert.deepEqual(Object.keys((await ask(List, ""))["statuses"] as object), ["", "teleport.v1.JobWorker"]);

  const watch = client.makeServerStreamRequest(Watch.path, Watch.requestSerialize, Watch.responseDeserialize, {
    service: "",
  });
  const ended = new Promise<grpc.ServiceError>((resolve) => watch.once("error", resolve));
  const next = () => new Promise((resolve) => watch.once("data", resolve));
  assert.deepEqual(await next(), { status: "SERVING" });
  server.setServing(false);
  assert.deepEqual(await next(), { status: "NOT_SERVING" });
  server.setServing(true);
  assert.deepEqual(await next(), { status: "SERVING" });
  // A watcher does not delay the shutdown.
  const stopped = server.shutdown({ graceMs: 60_000 });
  assert.deepEqual(await next(), { status: "NOT_SERVING" });
  assert.equal((await ended).code, grpc.status.UNAVAILABLE);
  await stopped;
  client.close();
});

interface Reflected {
  list_services_response?: { service: { name: string }[] };
  file_descriptor_response?: { file_descriptor_proto: Uint8Array[] };
}

/** Sends one request to reflection: field 7 lists the services, field 4 is for the file of a symbol. */
function reflect(server: { port: number }, field = 7, value = ""): Promise<Buffer> {
  const client = bareClient(server);
  const bytes = (message: Buffer) => message;
  const call = client.makeBidiStreamRequest("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", bytes, bytes);
  return new Promise<Buffer>((resolve, reject) => {
    call.once("data", resolve).once("error", reject);
    call.write(Buffer.from([field << 3 | 2, value.length, ...Buffer.from(value)]));
    call.end();
  }).finally(() => {
    call.on("error", () => {}).cancel();
    client.close();
  });
}

Deno.test("reflection lists the services and returns their files", async () => {
  await using server = await serveLocally({});
  const services = (await reflect(server)).toString("latin1");
  assert.match(services, /teleport\.v1\.JobWorker/);
  assert.match(services, /grpc\.health\.v1\.Health/);
  const file = (await reflect(server, 4, "teleport.v1.JobWorker")).toString("latin1");
  for (const name of ["JobRequest", "timeout_ms", "google.protobuf.Timestamp", "GetOutput"]) {
    assert(file.includes(name), `${name} is missing`);
  }
});

Deno.test("shutdown() waits for open calls and refuses new ones", async () => {
  const { promise: answer, resolve } = Promise.withResolvers<{ id: string }>();
  const begun = Promise.withResolvers<void>();
  const server = await serveLocally({
    Status: () => {
      begun.resolve();
      return answer;
    },
  });
  await using client = connectTo(server);
  const call = client.calls.Status({});
  await begun.promise;
  let stopped = false;
  const shutdown = server.shutdown({ graceMs: 60_000 }).then(() => stopped = true);
  const late = connectTo(server);
  assert.equal((await failure(late.calls.Status({}))).status, "UNAVAILABLE");
  await late[Symbol.asyncDispose]();
  assert.equal(stopped, false);
  resolve({ id: "after all" });
  assert.equal((await call).id, "after all");
  await shutdown;
});

Deno.test("shutdown() ends calls with UNAVAILABLE after the grace period", async () => {
  const left = Promise.withResolvers<AbortSignal>();
  const begun = Promise.withResolvers<void>();
  const server = await serveLocally({
    Start: quiet(left.resolve),
    Status: async (_, { signal }) => {
      begun.resolve();
      await aborted(signal);
      return {};
    },
  });
  await using client = connectTo(server);
  const stream = client.calls.Start({})[Symbol.asyncIterator]();
  await stream.next();
  const ends = [failure(stream.next()), failure(client.calls.Status({}))];
  await begun.promise;
  await server.shutdown({ graceMs: 20 });
  assert.equal((await left.promise).aborted, true);
  for (const { status, code, message } of await Promise.all(ends)) {
    assert.deepEqual([status, code], ["UNAVAILABLE", "UNAVAILABLE"]);
    assert.match(message, /shutting down: try again/);
  }
});

Deno.test("shutdown() closes the connections of calls that do not end", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const server = await serveLocally({
    Start: async function* () {
      yield { pid: 1 };
      await promise;
    },
  });
  await using client = connectTo(server);
  const stream = client.calls.Start({})[Symbol.asyncIterator]();
  await stream.next();
  const end = failure(stream.next());
  await server.shutdown({ graceMs: 0 });
  const { status, message } = await end;
  assert.equal(status, "UNAVAILABLE");
  assert.match(message, /connection was lost: try again/);
  resolve();
});

Deno.test("shutdown() does not wait for a stalled handshake", async () => {
  const server = await serveLocally({});
  const socket = connectTcp(server.port, "127.0.0.1");
  socket.on("error", () => {});
  while (server.connections === 0) await new Promise((resolve) => setImmediate(resolve));
  await Promise.all([
    new Promise<void>((resolve) => socket.resume().once("close", () => resolve())),
    server.shutdown({ graceMs: 60_000 }),
  ]);
});

Deno.test("shutdown() returns the same promise when it is called twice", async () => {
  const server = await serveLocally({});
  assert.equal(server.shutdown({ graceMs: 0 }), server.shutdown({ graceMs: 1_000 }));
  await server.shutdown({ graceMs: 0 });
});

Deno.test("a server survives 25 clients that make 100 calls at once and leave", async () => {
  await using server = await serveLocally(echo);
  for (let times = 0; times < 25; times++) {
    await using client = connectTo(server);
    await Promise.all(Array.from({ length: 100 }, (_, index) => client.calls.Status({ id: `${index}` })));
  }
  while (server.connections > 0) await new Promise((resolve) => setImmediate(resolve));
});
