/**
 * The return of memory to the system after a peak of calls, and the timers for it.
 * Measures: the memory of a server.
 */
import assert from "node:assert/strict";
import { MemoryReturn, type MemoryTools } from "../../teleportd/memory_return.ts";
import { eventually } from "../support/deadline.ts";
import { FakeTime } from "../support/fake_time.ts";

const MEBIBYTE = 1024 * 1024;

/** A process whose memory and processor time a test sets. */
class FakeProcess implements MemoryTools {
  held = 50 * MEBIBYTE;
  /** The part of the memory that V8 does not know. */
  freed = 30 * MEBIBYTE;
  cpu = 0;
  collections = 0;
  memory = () => ({ held: this.held, resident: this.held + this.freed });
  cpuMs = () => this.cpu;
  collect = () => {
    this.collections += 1;
    this.cpu += 100;
    this.held = 60 * MEBIBYTE;
    this.freed = 30 * MEBIBYTE;
  };
}

/** Makes a call in each of 12 seconds: longer than a server without calls waits until it counts as at rest. */
function callFor12Seconds(memory: MemoryReturn, time: FakeTime): void {
  for (let second = 0; second < 12; second += 1) {
    memory.active();
    time.pass(1_000);
  }
}

Deno.test("MemoryReturn collects once after a peak", () => {
  using time = new FakeTime();
  const tools = new FakeProcess();
  using memory = new MemoryReturn(tools);
  memory.active();
  tools.held = 90 * MEBIBYTE;
  callFor12Seconds(memory, time);
  assert.equal(tools.collections, 1);
  callFor12Seconds(memory, time);
  assert.equal(tools.collections, 1, "what is held after the collection is in use");
});

Deno.test("MemoryReturn collects when the process has grown and V8 has not", () => {
  using time = new FakeTime();
  const tools = new FakeProcess();
  using memory = new MemoryReturn(tools);
  tools.freed = 45 * MEBIBYTE;
  callFor12Seconds(memory, time);
  assert.equal(tools.collections, 0, "so little is not worth a collection");
  tools.freed = 47 * MEBIBYTE;
  callFor12Seconds(memory, time);
  assert.equal(tools.collections, 1);
});

Deno.test("MemoryReturn collects on a calm server again after twenty times the processor time of a collection", () => {
  using time = new FakeTime();
  const tools = new FakeProcess();
  using memory = new MemoryReturn(tools);
  const counts = [];
  for (let second = 0; second < 6; second += 1) {
    tools.freed += 20 * MEBIBYTE;
    memory.active();
    time.pass(1_000);
    counts.push(tools.collections);
  }
  assert.deepEqual(counts, [1, 1, 2, 2, 3, 3], "a collection takes 100 ms, so the pause is 2 s");
});

Deno.test("MemoryReturn collects once after the start, and then has no timer", () => {
  using time = new FakeTime();
  const tools = new FakeProcess();
  using _memory = new MemoryReturn(tools);
  time.pass(9_000);
  assert.equal(tools.collections, 0);
  time.pass(1_000);
  assert.equal(tools.collections, 1);
  assert.equal(time.timers, 0);
});

Deno.test("MemoryReturn collects at rest, 10 s after the last call, what the calls have left", () => {
  using time = new FakeTime();
  const tools = new FakeProcess();
  using memory = new MemoryReturn(tools);
  const rest = () => {
    for (let second = 0; second < 11; second += 1) time.pass(1_000);
    assert.equal(time.timers, 0);
  };
  rest();
  memory.active();
  tools.held += MEBIBYTE;
  rest();
  assert.equal(tools.collections, 1, "so little is not worth a collection");
  memory.active();
  tools.held += 2 * MEBIBYTE;
  time.pass(6_000);
  memory.active();
  time.pass(6_000);
  assert.equal(tools.collections, 1, "the last call was 6 s ago");
  rest();
  assert.equal(tools.collections, 2);
});

Deno.test("MemoryReturn collects on a busy server only after large growth", () => {
  using time = new FakeTime();
  const tools = new FakeProcess();
  using memory = new MemoryReturn(tools);
  const busySecond = () => {
    memory.active();
    tools.cpu += 800;
    time.pass(1_000);
  };
  tools.held = 90 * MEBIBYTE;
  for (let second = 0; second < 20; second += 1) busySecond();
  assert.equal(tools.collections, 0);
  assert.equal(time.timers, 2, "it looks again until it is calm, and at rest");
  tools.held = 300 * MEBIBYTE;
  busySecond();
  assert.equal(tools.collections, 1);
});

Deno.test("MemoryReturn ends its timer on disposal and starts no other", () => {
  using time = new FakeTime();
  const memory = new MemoryReturn(new FakeProcess());
  memory.active();
  memory[Symbol.dispose]();
  memory.active();
  assert.equal(time.timers, 0);
});

Deno.test("MemoryReturn gives memory of this process back", async () => {
  using memory = new MemoryReturn();
  const heldBytes = () => Deno.memoryUsage().heapTotal;
  const before = heldBytes();
  let crowd: unknown[] | undefined = Array.from({ length: 400_000 }, (_, index) => ({ index, text: `entry ${index}` }));
  assert.ok(heldBytes() > before + 20 * MEBIBYTE, `${crowd.length} entries take room`);
  crowd = undefined;
  await eventually(() => {
    memory.active();
    return heldBytes() <= before + 20 * MEBIBYTE;
  }, "a small heap");
});
