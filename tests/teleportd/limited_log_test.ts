/** The log of events that strangers cause: the first at once, then one line a second and kind. */
import assert from "node:assert/strict";
import { LimitedLog } from "../../teleportd/limited_log.ts";

/** Resolves with the lines once there are so many; fails after five seconds. */
function collect() {
  const lines: string[] = [];
  let wake = () => {};
  const until = async (count: number) => {
    const deadline = AbortSignal.timeout(5_000);
    deadline.addEventListener("abort", () => wake(), { once: true });
    while (lines.length < count) {
      assert.ok(!deadline.aborted, `only ${lines.length} lines: ${lines.join("; ")}`);
      await new Promise<void>((resolve) => wake = resolve);
    }
    return lines;
  };
  const tell = (line: string) => {
    lines.push(line);
    wake();
  };
  return { lines, until, tell };
}

Deno.test("LimitedLog writes the first event of each kind at once", () => {
  const { lines, tell } = collect();
  using log = new LimitedLog(tell);
  log.write("A", "a 1");
  log.write("B", "b 1");
  assert.deepEqual(lines, ["a 1", "b 1"]);
});

Deno.test("LimitedLog writes one line a second for all further events of a kind", async () => {
  const { lines, until, tell } = collect();
  using log = new LimitedLog(tell);
  const startedAt = performance.now();
  for (let i = 1; i <= 1_000; i++) log.write("A", `a ${i}`);
  assert.deepEqual(lines, ["a 1"]);
  await until(2);
  assert.ok(performance.now() - startedAt >= 990);
  log.write("A", "a 1001");
  assert.deepEqual(lines, ["a 1", "a 1000 (and 998 more in the last second)"], "the next second has begun");
  await until(3);
  assert.equal(lines[2], "a 1001");
});

Deno.test("LimitedLog writes what is left when it is disposed of, and leaves no timer", () => {
  const { lines, tell } = collect();
  {
    using log = new LimitedLog(tell);
    for (let i = 1; i <= 3; i++) log.write("A", `a ${i}`);
  }
  assert.deepEqual(lines, ["a 1", "a 3 (and 1 more in the last second)"]);
});

Deno.test("LimitedLog keeps a bounded number of kinds", () => {
  const { lines, tell } = collect();
  using log = new LimitedLog(tell);
  for (let i = 0; i < 10_000; i++) log.write(`kind ${i}`, "text");
  assert.equal(lines.length, 100);
});
