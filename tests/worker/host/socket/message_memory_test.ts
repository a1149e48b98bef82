/** Tests of memory of long messages that is used again. */
import assert from "node:assert/strict";
import { giveMessageMemory, takeMessageMemory } from "../../../../worker/host/socket/message_memory.ts";
import { MessageConnection } from "../../../../worker/host/socket/message_connection.ts";
import { deadline } from "../../../support/deadline.ts";
import { memoryStreams } from "../../../support/fake_engine.ts";
import { Random } from "../../../support/random.ts";

Deno.test("takeMessageMemory() gives the memory of an earlier long message, and shorter ones their own", () => {
  const first = takeMessageMemory(200_000);
  assert.equal(first.length, 200_000);
  giveMessageMemory(first);
  const second = takeMessageMemory(262_144);
  assert.equal(second.length, 262_144);
  assert.equal(second.buffer, first.buffer);
  for (const bytes of [10, 20_000, 131_071, 262_145]) {
    const own = takeMessageMemory(bytes);
    assert.equal(own.buffer.byteLength, bytes);
    giveMessageMemory(own);
    assert.equal(own.buffer.detached, bytes > 16_384);
  }
});

Deno.test("giveMessageMemory() keeps no more blocks than one sender uses", () => {
  const many = Array.from({ length: 6 }, () => takeMessageMemory(200_000));
  for (const message of many) giveMessageMemory(message);
  assert.equal(many.filter(({ buffer }) => buffer.detached).length, 3);
});

Deno.test("long messages arrive as they were sent, while the memory of earlier ones is used again", async () => {
  const [one, other] = memoryStreams();
  const [sender, receiver] = [new MessageConnection(one), new MessageConnection(other)];
  const random = new Random(7);
  const sent = Array.from({ length: 20 }, (_, at) => random.bytes(131_000 + at * 6_000));
  const sending = (async () => {
    for (const [at, data] of sent.entries()) {
      sender.send({ at }, data);
      await sender.drained(524_288);
    }
    await sender.drained();
    sender.close();
  })();
  let count = 0;
  await deadline(receiver.receive(({ body, data }) => {
    assert.equal(body.at, count);
    assert.deepEqual(data, sent[count++]);
  }));
  await sending;
  assert.equal(count, sent.length);
});
