/** Tests of rpc/client/client.ts: connections, the end of calls, and the errors when no server answers. */
import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { JobNotFoundError } from "../../../mod.ts";
import type { CallContext } from "../../../proto/service.ts";
import { AddressError, CallError, connect, TlsCredentialsError } from "../../../rpc/client/client.ts";
import { clientCredentials, credentials, otherCa, serverCertificate } from "../../support/certificates.ts";
import { aborted, all, connectTo, failure, serveLocally } from "../../support/rpc_server.ts";
import { deadline, eventually } from "../../support/deadline.ts";

const echo = { Status: ({ id }: { id: string }) => Promise.resolve({ id }) };

/** A handler that sends numbers. It reports when its stream has ended. */
function counting() {
  const left = Promise.withResolvers<void>();
  let open = 0;
  return {
    get left() {
      return deadline(left.promise, "the end of a stream");
    },
    open: () => open,
    handler: async function* ({ id }: { id: string }, { signal }: CallContext) {
      open++;
      try {
        for (let pid = 0; pid < Number(id); pid++) yield { pid };
        if (id === "1") await aborted(signal);
      } finally {
        open--;
        left.resolve();
      }
    },
  };
}

Deno.test("connect() throws for a malformed address and for unusable credentials", () => {
  assert.throws(() => connect({ address: "here", credentials: clientCredentials }), AddressError);
  const wrong = { ...clientCredentials, key: "" };
  assert.throws(() => connect({ address: "127.0.0.1:1", credentials: wrong }), TlsCredentialsError);
});

Deno.test("a stream makes one call each time it is iterated", async () => {
  const { handler } = counting();
  await using server = await serveLocally({ Start: handler });
  await using client = connectTo(server);
  const stream = client.calls.Start({ id: "3" });
  assert.deepEqual((await all(stream)).map(({ pid }) => pid), [0, 1, 2]);
  assert.deepEqual((await all(stream)).map(({ pid }) => pid), [0, 1, 2]);
});

Deno.test("a stream of many messages arrives complete and in order when the reader pauses", async () => {
  await using server = await serveLocally({ Start: counting().handler, ...echo });
  await using client = connectTo(server);
  let wanted = 0;
  for await (const { pid } of client.calls.Start({ id: "5000" })) {
    assert.equal(pid, wanted++);
    // The reader does other work now and then.
    if (pid % 500 === 0) await client.calls.Status({});
  }
  assert.equal(wanted, 5000);
});

Deno.test("a stream rejects when its error arrives while the reader is busy", async () => {
  await using server = await serveLocally({
    Start: async function* () {
      for (let pid = 0; pid < 3; pid++) yield { pid };
      await Promise.resolve();
      throw new JobNotFoundError("x");
    },
    ...echo,
  });
  await using client = connectTo(server);
  const seen: number[] = [];
  const read = async () => {
    for await (const { pid } of client.calls.Start({})) {
      seen.push(pid);
      for (let times = 0; times < 5; times++) await client.calls.Status({});
    }
  };
  assert.equal((await failure(read())).status, "NOT_FOUND");
  // The error may arrive before the last messages. See RpcClient.
  assert.deepEqual(seen, [0, 1, 2].slice(0, seen.length));
});

Deno.test("a call does not begin when its signal has aborted", async () => {
  await using server = await serveLocally({ Status: () => assert.fail("called"), Start: () => assert.fail("called") });
  await using client = connectTo(server);
  const signal = AbortSignal.abort(new Error("enough"));
  for (
    const call of [
      () => client.calls.Status({}, { signal }),
      () => all(client.calls.Start({}, { signal })),
      () => client.health(signal),
    ]
  ) {
    const failed = await failure(call());
    assert(failed instanceof CallError);
    assert.equal(failed.status, "CANCELLED");
    assert.equal(failed.cause, signal.reason);
  }
  assert.equal(server.connections, 0);
});

Deno.test("a stream ends with CANCELLED when its signal aborts, and its handler ends", async () => {
  const { handler, left } = counting();
  await using server = await serveLocally({ Start: handler });
  await using client = connectTo(server);
  const abort = new AbortController();
  const stream = client.calls.Start({ id: "1" }, { signal: abort.signal })[Symbol.asyncIterator]();
  await stream.next();
  const next = failure(stream.next());
  abort.abort();
  const { status, message } = await next;
  assert.deepEqual([status, message], ["CANCELLED", "The call was cancelled"]);
  assert.equal((await stream.next()).done, true);
  await left;
});

Deno.test("return() ends a next() that waits", async () => {
  const { handler, left } = counting();
  await using server = await serveLocally({ Start: handler });
  await using client = connectTo(server);
  const stream = client.calls.Start({ id: "1" })[Symbol.asyncIterator]();
  await stream.next();
  const next = stream.next();
  await stream.return?.();
  assert.equal((await next).done, true);
  await left;
});

Deno.test("return() before the first next() makes no call", async () => {
  await using server = await serveLocally({ Start: () => assert.fail("called") });
  await using client = connectTo(server);
  const stream = client.calls.Start({})[Symbol.asyncIterator]();
  await stream.return?.();
  assert.equal((await stream.next()).done, true);
  assert.equal(server.connections, 0);
});

Deno.test("close() cancels open calls, and later calls fail", async () => {
  const { handler, left } = counting();
  const begun = Promise.withResolvers<void>();
  await using server = await serveLocally({
    Start: handler,
    Status: (_, { signal }) => {
      begun.resolve();
      return aborted(signal).then(() => ({}));
    },
  });
  const client = connectTo(server);
  const stream = client.calls.Start({ id: "1" })[Symbol.asyncIterator]();
  await stream.next();
  const ends = [failure(stream.next()), failure(client.calls.Status({}))];
  await deadline(begun.promise);
  client.close();
  client.close();
  for (const { status } of await Promise.all(ends)) assert.equal(status, "CANCELLED");
  assert.match((await failure(client.calls.Status({}))).message, /client is closed/);
  assert.match((await failure(all(client.calls.Start({})))).message, /client is closed/);
  await left;
  await client[Symbol.asyncDispose]();
});

Deno.test("CallError.from() returns UNAVAILABLE when a write fails, and when the peer breaks the protocol", () => {
  for (const why of ["write EPIPE", "Protocol error"]) {
    const details = `Received RST_STREAM with code 2 triggered by internal client error: ${why}`;
    const error = CallError.from(Object.assign(new Error(details), { code: 13, details }));
    assert.equal(error.status, "UNAVAILABLE");
  }
  const reset = "Received RST_STREAM with code 2 (Internal server error)";
  assert.equal(CallError.from(Object.assign(new Error(reset), { code: 13, details: reset })).status, "INTERNAL");
});

Deno.test("a client reconnects when its server is back", async () => {
  const first = await serveLocally(echo);
  const { port } = first;
  await using client = connectTo(first);
  await client.calls.Status({});
  await first.shutdown({ graceMs: 0 });
  // The client detects the loss at the first of these calls, or only by its failure.
  const lost = await failure(client.calls.Status({}));
  assert(lost instanceof CallError);
  assert.equal(lost.status, "UNAVAILABLE");
  assert.match(lost.message, /nothing listens there|the connection was lost/);
  assert.match((await failure(client.calls.Status({}))).message, /nothing listens there/);
  await using _second = await serveLocally(echo, { port });
  // The client tries again after about a second.
  await eventually(() => client.calls.Status({}).then(() => true, () => false), "an answer");
});

/** Makes a call to another program, and checks the error. */
async function assertUnreachable(other: Server, pattern: RegExp, connectTimeoutMs = 60_000): Promise<void> {
  const sockets: Socket[] = [];
  other.on("connection", (socket) => void sockets.push(socket));
  await deadline(new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve)));
  const { port } = other.address() as { port: number };
  const client = connect({ address: `127.0.0.1:${port}`, credentials: clientCredentials, connectTimeoutMs });
  const { status, message } = await failure(client.calls.Status({}));
  assert.equal(status, "UNAVAILABLE");
  assert.match(message, pattern);
  await client[Symbol.asyncDispose]();
  for (const socket of sockets) socket.destroy();
  await deadline(new Promise<void>((resolve) => other.close(() => resolve())));
}

Deno.test("a call reports that nothing listens, and which name has no address", async () => {
  const free = createServer();
  await deadline(new Promise<void>((resolve) => free.listen(0, "127.0.0.1", resolve)));
  const { port } = free.address() as { port: number };
  await deadline(new Promise<void>((resolve) => free.close(() => resolve())));
  await using client = connectTo({ port });
  assert.match((await failure(client.calls.Status({}))).message, /nothing listens there/);
  await using nowhere = connect({ address: "no-such-host.invalid:1", credentials: clientCredentials });
  assert.match((await failure(nowhere.calls.Status({}))).message, /"no-such-host\.invalid" has no address/);
});

Deno.test("a call reports that the other program does not use TLS", async () => {
  const http = createServer((socket) => {
    socket.on("error", () => {});
    socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  await assertUnreachable(http, /not a teleport server/);
});

Deno.test("a call advises to try again when its connection is closed at once", async () => {
  // As a forwarder does whose server is away.
  await assertUnreachable(createServer((socket) => void socket.destroy()), /closed during the handshake: try again/);
});

Deno.test("a client refuses TLS 1.2", async () => {
  const { ca, cert, key } = credentials(otherCa, serverCertificate);
  await assertUnreachable(createTlsServer({ ca, cert, key, maxVersion: "TLSv1.2" }), /not a teleport server/);
});

Deno.test("a call fails when the server never answers", async () => {
  const silent = createServer((socket) => void socket.on("error", () => {}));
  await assertUnreachable(silent, /no answer in 300 ms/, 300);
});

Deno.test("a client ignores a proxy in the environment", async () => {
  await using server = await serveLocally(echo);
  // Port 9 of this machine, where nothing is: a call that went there would fail.
  Deno.env.set("https_proxy", "http://127.0.0.1:9");
  try {
    await using client = connectTo(server);
    assert.equal((await client.calls.Status({ id: "direct" })).id, "direct");
  } finally {
    Deno.env.delete("https_proxy");
  }
});
