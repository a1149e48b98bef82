/** Tests of rpc/server/connections/listener.ts with a fake socket. */
import assert from "node:assert/strict";
import { constants } from "node:os";
import { SystemCallError } from "../../../../rpc/compat/socket_calls.ts";
import type { SocketAddress } from "../../../../rpc/compat/socket_address.ts";
import { AddressCounts, addressGroup } from "../../../../rpc/server/connections/address_counts.ts";
import { type Accepting, Listener } from "../../../../rpc/server/connections/listener.ts";
import { RefusedConnections } from "../../../../rpc/server/connections/refused_connections.ts";
import { deadline } from "../../../support/deadline.ts";

/** The result of the next accept: an error, or a connection that has sent a record or nothing. */
type Next = keyof typeof constants.errno | "SPEAKS" | "SILENT";

/** A socket whose queue the test fills. */
class FakeSocket implements Accepting {
  readonly queue: Next[] = [];
  readonly ended: number[] = [];
  /** How often accept was called. */
  asked = 0;
  /** False where a wait ends only by an event, and never by its time. */
  hasTimers = true;
  /** The longest time of a wait that ignored the queue. */
  longestMs = 0;
  #descriptor = 100;
  readonly #speaks = new Set<number>();
  #wake = () => {};

  push(...next: Next[]): void {
    this.queue.push(...next);
    this.#wake();
  }

  accept(): { descriptor: number; peer: SocketAddress } | undefined {
    this.asked += 1;
    const next = this.queue.shift();
    if (next === undefined) return undefined;
    if (next !== "SPEAKS" && next !== "SILENT") throw new SystemCallError("accept", constants.errno[next]);
    const descriptor = this.#descriptor++;
    if (next === "SPEAKS") this.#speaks.add(descriptor);
    return { descriptor, peer: { host: "192.0.2.1", port: descriptor } };
  }

  arrived(descriptor: number) {
    return this.#speaks.has(descriptor) ? "RECORD" as const : "NOTHING" as const;
  }

  async wait(_: readonly number[], accepting: boolean, timeoutMs: number | undefined) {
    if (!accepting && this.queue.length > 0) this.longestMs = Math.max(this.longestMs, timeoutMs ?? Infinity);
    const timer = Promise.withResolvers<void>();
    this.#wake = timer.resolve;
    if (accepting && this.queue.length > 0) timer.resolve();
    const timeout = timeoutMs === undefined || !this.hasTimers ? undefined : setTimeout(timer.resolve, timeoutMs);
    await timer.promise;
    clearTimeout(timeout);
    return { listener: accepting && this.queue.length > 0, descriptors: [] };
  }

  wake(): void {
    this.#wake();
  }

  end(descriptor: number): void {
    this.ended.push(descriptor);
  }

  close(): void {}
}

function listen(options: { freeDescriptor?: () => boolean; maxWaiting?: number } = {}) {
  const socket = new FakeSocket();
  const refused = new RefusedConnections(() => {});
  const begun: number[] = [];
  let wake = () => {};
  const listener = new Listener(socket, {
    maxWaiting: options.maxWaiting ?? 10,
    refused,
    addresses: new AddressCounts(1_000),
    handshakeDelayMs: () => 0,
    begin: ({ descriptor }) => {
      begun.push(descriptor);
      wake();
    },
    freeDescriptor: options.freeDescriptor ?? (() => false),
    onEnd: () => {},
    onError: (error) => assert.fail(String(error)),
  });
  /** Resolves when that number of handshakes have started. */
  const begins = async (count: number) => {
    const wait = async () => {
      while (begun.length < count) await new Promise<void>((resolve) => wake = resolve);
    };
    await deadline(wait(), () => `${count} handshakes: ${begun.length} started, ${JSON.stringify(refused.counts)}`);
  };
  return { socket, refused, begun, listener, begins };
}

for (const code of ["EMFILE", "ENFILE", "ENOMEM", "ENOBUFS"] as const) {
  Deno.test(`Listener continues to accept after ${code}, after a pause`, async () => {
    const { socket, refused, listener, begins } = listen();
    socket.push(code, "SPEAKS");
    await begins(1);
    assert.equal(refused.counts.SHORTAGE, 1);
    assert.ok(socket.asked <= 4, `${socket.asked} times`);
    await listener.close();
  });
}

for (const code of ["ECONNABORTED", "EINTR", "EPROTO", "EPERM", "EHOSTUNREACH", "EBADF"] as const) {
  Deno.test(`Listener continues to accept after ${code}`, async () => {
    const { socket, refused, listener, begins } = listen();
    socket.push(code, code, "SPEAKS", code, "SPEAKS");
    await begins(2);
    assert.equal(refused.counts.ACCEPT_FAILED, 3);
    await listener.close();
  });
}

Deno.test("nudge() ends the pause after a shortage", async () => {
  const { socket, listener, begins } = listen();
  // Without timers, nothing but nudge() can end the pause.
  socket.hasTimers = false;
  socket.push("EMFILE", "SPEAKS");
  while (socket.queue.length > 1) await new Promise((resolve) => setImmediate(resolve));
  listener.nudge();
  await begins(1);
  await listener.close();
});

Deno.test("Listener frees a descriptor when none is left", async () => {
  let freed = 0;
  const { socket, listener, begins } = listen({ freeDescriptor: () => ++freed > 0 });
  socket.push("EMFILE", "SPEAKS");
  await begins(1);
  assert.equal(freed, 1);
  await listener.close();
});

Deno.test("Listener keeps a silent connection for 0.5 s, and then closes it for another", async () => {
  const { socket, refused, listener, begins } = listen({ maxWaiting: 2 });
  socket.push("SILENT", "SILENT", "SPEAKS");
  const startedAt = performance.now();
  await begins(1);
  assert.ok(performance.now() - startedAt >= 490);
  assert.equal(refused.counts.WAITING_LIMIT, 1);
  assert.deepEqual(socket.ended, [100], "the oldest");
  await listener.close();
  assert.deepEqual(socket.ended, [100, 101]);
});

Deno.test("Listener replaces hundreds of silent connections in a second", async () => {
  const { socket, refused, listener, begins } = listen({ maxWaiting: 40 });
  socket.push(...Array.from({ length: 400 }, () => "SILENT" as const), "SPEAKS");
  await begins(1);
  assert.equal(refused.counts.WAITING_LIMIT, 361);
  await listener.close();
});

Deno.test("Listener accepts again when the time comes between its two questions about it", async () => {
  const now = performance.now;
  // The time passes between any two of its first readings.
  for (let stepMs = 60; stepMs <= 260; stepMs += 10) {
    const { socket, listener, begins } = listen({ maxWaiting: 1 });
    let passedMs = 0;
    performance.now = () => now.call(performance) + (passedMs += stepMs);
    try {
      socket.push("SILENT", "SPEAKS");
      await begins(1);
      assert.ok(socket.longestMs <= 500, `it waited ${socket.longestMs} ms with steps of ${stepMs} ms`);
    } finally {
      performance.now = now;
      await listener.close();
    }
  }
});

Deno.test("addressGroup() returns the same key for all hosts of one IPv6 network", () => {
  const group = (host: string) => addressGroup({ host, port: 1 });
  assert.equal(group("192.0.2.1"), "192.0.2.1");
  assert.equal(group("::ffff:192.0.2.1"), "192.0.2.1");
  assert.equal(group("2001:db8::1"), "2001:db8:0:0");
  assert.equal(group("2001:db8:0:0:5::1"), group("2001:db8::9"));
  assert.notEqual(group("2001:db8:0:1::1"), group("2001:db8::1"));
  assert.equal(group("::1"), "0:0:0:0");
});
