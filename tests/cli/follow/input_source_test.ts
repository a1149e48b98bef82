/** Tests of cli/follow/input_source.ts: the memory of data that the server has is used again. */
import assert from "node:assert/strict";
import { InputSource } from "../../../cli/follow/input_source.ts";

const CHUNK_BYTES = 262_144;

/** A file without an end. Its chunks are numbered, and it records the memory that it is read into. */
class NumberedFile {
  readonly memories = new Set<ArrayBufferLike>();
  reads = 0;

  read(buffer: Uint8Array): Promise<number> {
    this.memories.add(buffer.buffer);
    buffer.fill(this.reads++);
    return Promise.resolve(buffer.length);
  }
}

/** Reads this many messages with data of a call, and returns the number of each. */
async function numbersOf(messages: ReturnType<InputSource["messages"]>, count: number): Promise<number[]> {
  const numbers: number[] = [];
  while (numbers.length < count) {
    const { value } = await messages.next();
    const data = value?.data as Uint8Array | undefined;
    if (data === undefined) continue;
    assert.ok(data.every((byte) => byte === data[0]));
    numbers.push(data[0] ?? NaN);
  }
  return numbers;
}

Deno.test("InputSource reads into the memory of data that the server has", async () => {
  const file = new NumberedFile();
  const source = new InputSource(file, 0);
  const messages = source.messages({ id: "job" }, true);
  for (let round = 0; round < 10; round++) {
    assert.deepEqual(await numbersOf(messages, 2), [2 * round, 2 * round + 1]);
    source.acknowledge(source.end);
  }
  assert.equal(file.memories.size, 2);
});

Deno.test("InputSource keeps the data that the server may not have, and sends it again after a cut", async () => {
  const file = new NumberedFile();
  const source = new InputSource(file, 0);
  await numbersOf(source.messages({ id: "job" }, true), 4);
  source.cut();
  source.acknowledge(1.5 * CHUNK_BYTES);
  const messages = source.messages({ id: "job" }, true);
  assert.deepEqual(await messages.next(), { done: false, value: { id: "job", offset: 1.5 * CHUNK_BYTES } });
  assert.deepEqual(await numbersOf(messages, 5), [1, 2, 3, 4, 5]);
  assert.equal(source.end, 6 * CHUNK_BYTES);
  assert.equal(file.memories.size, 5);
});
