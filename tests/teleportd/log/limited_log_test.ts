/** The log of events that strangers cause: one line at once, then one line a second for each kind. */
import assert from "node:assert/strict";
import type { LogFields } from "../../../base/logger.ts";
import { LimitedLog } from "../../../teleportd/log/limited_log.ts";

/** A log that keeps its messages. `until` fails after five seconds. */
function collect() {
  const lines: string[] = [];
  const fields: (LogFields | undefined)[] = [];
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
  const log = {
    warn(message: string, given?: LogFields) {
      lines.push(message);
      fields.push(given);
      wake();
    },
  };
  return { lines, fields, until, log };
}

Deno.test("LimitedLog.warn() writes the first event of each kind at once", () => {
  const { lines, fields, log } = collect();
  using limited = new LimitedLog(log);
  limited.warn("A", "a 1", { user: "ann" });
  limited.warn("B", "b 1");
  assert.deepEqual(lines, ["a 1", "b 1"]);
  assert.deepEqual(fields, [{ kind: "A", user: "ann" }, { kind: "B" }]);
});

Deno.test("LimitedLog.warn() writes one line a second for all further events of a kind", async () => {
  const { lines, fields, until, log } = collect();
  using limited = new LimitedLog(log);
  const startedAt = performance.now();
  for (let i = 1; i <= 1_000; i++) limited.warn("A", `a ${i}`, { number: i });
  assert.deepEqual(lines, ["a 1"]);
  await until(2);
  assert.ok(performance.now() - startedAt >= 990);
  limited.warn("A", "a 1001");
  assert.deepEqual(lines, ["a 1", "a 1000 (and 998 more in the last second)"], "the next second has begun");
  assert.deepEqual(fields[1], { kind: "A", number: 1_000, more_events: 998 });
  await until(3);
  assert.equal(lines[2], "a 1001");
});

Deno.test("LimitedLog writes the remaining events when it is disposed of, and leaves no timer", () => {
  const { lines, log } = collect();
  {
    using limited = new LimitedLog(log);
    for (let i = 1; i <= 3; i++) limited.warn("A", `a ${i}`);
  }
  assert.deepEqual(lines, ["a 1", "a 3 (and 1 more in the last second)"]);
});

Deno.test("LimitedLog keeps a bounded number of kinds", () => {
  const { lines, log } = collect();
  using limited = new LimitedLog(log);
  for (let i = 0; i < 10_000; i++) limited.warn(`kind ${i}`, "text");
  assert.equal(lines.length, 100);
});
