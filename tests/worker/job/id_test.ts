/** Tests of job ids. */
import assert from "node:assert/strict";
import { newJobId } from "../../../worker/job/id.ts";

Deno.test("newJobId() returns UUIDs of version 7 that contain the time, differ and are in order", () => {
  const before = Date.now();
  const ids = Array.from({ length: 20_000 }, newJobId);
  const after = Date.now();
  for (const [index, id] of ids.entries()) {
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    if (index > 0) assert.ok(id > (ids[index - 1] ?? ""), `${ids[index - 1]} before ${id}`);
  }
  const timeOf = (id = "") => Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16);
  assert.ok(timeOf(ids[0]) >= before);
  // When the counter is full, the time moves ahead: at least 2,048 ids a millisecond.
  assert.ok(timeOf(ids.at(-1)) <= after + 20_000 / 2_048);
});

Deno.test("newJobId() keeps the order when the clock goes back or stops", () => {
  const now = Date.now;
  try {
    const first = newJobId();
    Date.now = () => now() - 3_600_000;
    const second = newJobId();
    assert.ok(second > first);
    // More ids in one millisecond than the 12-bit counter can count.
    const ids = Array.from({ length: 20_000 }, newJobId);
    assert.deepEqual(ids.toSorted(), ids);
  } finally {
    Date.now = now;
  }
});
