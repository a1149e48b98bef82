/** Tests of what is known of the host of a placed job. */
import assert from "node:assert/strict";
import { PlacedHost } from "../../../worker/engine/placed_host.ts";

Deno.test("heard() counts the time without a change from the first answer, not from before it", async () => {
  const calls = { start: () => Promise.resolve(), stop: () => Promise.resolve() };
  const host = new PlacedHost("0".repeat(32), "job", { engine: "fake" }, calls);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.ok(host.heard([]), "the first answer is news");
  assert.ok(host.sight.unchangedMs < 90, `${host.sight.unchangedMs} ms`);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(!host.heard([]));
  assert.ok(host.sight.unchangedMs >= 19, `${host.sight.unchangedMs} ms`);
});
