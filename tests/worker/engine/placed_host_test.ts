/** Tests of what is known of the host of a placed job. */
import assert from "node:assert/strict";
import { FakeTime } from "../../support/fake_time.ts";
import { PlacedHost } from "../../../worker/engine/placed_host.ts";

Deno.test("heard() counts the time without a change from the first answer, not from before it", () => {
  using time = new FakeTime();
  const calls = { start: () => Promise.resolve(), stop: () => Promise.resolve() };
  const host = new PlacedHost("0".repeat(32), "job", { engine: "fake" }, calls);
  time.pass(100);
  assert.ok(host.heard([]), "the first answer is news");
  assert.equal(host.sight.unchangedMs, 0);
  time.pass(20);
  assert.ok(!host.heard([]));
  assert.equal(host.sight.unchangedMs, 20);
});

Deno.test("heard() counts the time again when a lost machine answers the engine again", () => {
  using time = new FakeTime();
  const calls = { start: () => Promise.resolve(), stop: () => Promise.resolve() };
  const id = "0".repeat(32);
  const host = new PlacedHost(id, "job", { engine: "fake" }, calls);
  const word = { id, phase: "NODE_LOST", text: "NODE_FAIL", node: "n1" } as const;
  host.heard([{ ...word, nodeAnswers: false }]);
  time.pass(30);
  assert.ok(host.heard([{ ...word, nodeAnswers: true }]));
  assert.equal(host.sight.unchangedMs, 0);
});

Deno.test("heard() takes the engine's number when the answer to the submission was lost", () => {
  const calls = { start: () => Promise.resolve(), stop: () => Promise.resolve() };
  const id = "0".repeat(32);
  const host = new PlacedHost(id, "job", { engine: "fake" }, calls);
  host.heard([{ id, handle: "12", phase: "QUEUED", text: "PENDING" }]);
  assert.equal(host.placementStatus.handle, "12");
  host.heard([{ id, handle: "13", phase: "QUEUED", text: "PENDING" }]);
  assert.equal(host.placementStatus.handle, "12");
});
