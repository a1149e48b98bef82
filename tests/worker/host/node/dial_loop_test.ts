/** Tests of the waits of a node host between its dials. */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { acceptDial, receiveDial } from "../../../../worker/host/node/accept_dial.ts";
import { dialGateway } from "../../../../worker/host/node/dial_loop.ts";
import { MessageConnection } from "../../../../worker/host/socket/message_connection.ts";
import type { ServedHost } from "../../../../worker/host/socket/served_connection.ts";
import { memoryStreams } from "../../../support/fake_engine.ts";
import { FakeTime } from "../../../support/fake_time.ts";

/** Lets everything happen that waits for no time. */
async function idle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await setImmediate();
}

/** A host whose gateway accepts each dial. */
function dialing() {
  const end = new AbortController();
  const dials: MessageConnection[] = [];
  const over = dialGateway({
    host: { detach() {} } as unknown as ServedHost,
    dial: { run: "a".repeat(32), node: "n1" },
    info: { instance: "i", pid: 1, startedAt: new Date(), version: "1.0.0", cgroupText: "" },
    connect: async () => {
      const [host, gateway] = memoryStreams();
      const connection = new MessageConnection(gateway);
      dials.push(connection);
      void receiveDial(connection).then((dial) => dial && acceptDial(connection, dial));
      return await Promise.resolve(host);
    },
    onLinked: () => {},
    onError: (error) => assert.fail(error),
    signal: end.signal,
  });
  return {
    dials,
    /** Ends the last link. */
    fail: () => dials.at(-1)?.close(),
    async [Symbol.asyncDispose]() {
      end.abort();
      await over;
    },
  };
}

Deno.test("dialGateway() waits longer after each link that fails at once, and at most 10 s", async () => {
  using time = new FakeTime();
  await using node = dialing();
  for (const waitMs of [200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]) {
    await idle();
    const { length } = node.dials;
    node.fail();
    await idle();
    time.pass(waitMs - 1);
    await idle();
    assert.equal(node.dials.length, length, `before ${waitMs} ms`);
    time.pass(1);
    await idle();
    assert.equal(node.dials.length, length + 1, `after ${waitMs} ms`);
  }
});

Deno.test("dialGateway() dials soon after a link that has worked for a while", async () => {
  using time = new FakeTime();
  await using node = dialing();
  for (const openMs of [0, 0, 0, 5_000]) {
    await idle();
    time.pass(openMs);
    node.fail();
    await idle();
    if (openMs > 0) time.pass(200);
    else time.pass(10_000);
    await idle();
  }
  assert.equal(node.dials.length, 5);
});
