/** The questions to job hosts while somebody watches. */
import assert from "node:assert/strict";
import { HostAttention } from "../../../worker/supervisor/host_attention.ts";
import { FakeTime } from "../../support/fake_time.ts";

Deno.test("HostAttention asks every 30 seconds while somebody watches, and has no timer afterwards", () => {
  using time = new FakeTime();
  let watchers = 1;
  let questions = 0;
  const attention = new HostAttention({ isNeeded: () => watchers > 0, ask: () => questions++ });
  assert.equal(time.timers, 0);
  attention.attend();
  attention.attend();
  assert.equal(time.timers, 1);
  for (let minutes = 0; minutes < 2; minutes++) time.pass(30_000);
  assert.deepEqual([questions, time.timers], [2, 1]);
  watchers = 0;
  time.pass(30_000);
  assert.deepEqual([questions, time.timers], [2, 0]);
});

Deno.test("HostAttention has no timer after its close", () => {
  using time = new FakeTime();
  const attention = new HostAttention({ isNeeded: () => true, ask: () => {} });
  attention.attend();
  attention.close();
  attention.attend();
  assert.equal(time.timers, 0);
});
