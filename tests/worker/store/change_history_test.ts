/** Tests for the history of all jobs: order, earlier statuses, and removed jobs. */
import assert from "node:assert/strict";
import { encodeSpec } from "../../../worker/store/json.ts";
import { Store } from "../../../worker/store/store.ts";

const startedAt = new Date(1_000);

function add(store: Store, id: string): void {
  const spec = { id, command: "true", args: [], registeredAt: new Date(), owner: "ann" };
  store.add(spec, encodeSpec(spec));
}

Deno.test("after() returns changes in order, with the state before and the cause", () => {
  using store = new Store(":memory:");
  add(store, "a");
  store.change("a", { state: "STARTING", startedAt }, { by: "bob" });
  store.remove("a");
  assert.deepEqual(store.history.after(0).map(({ was }) => was), ["STARTING"], "Only the removal is left");
  add(store, "b");
  store.change("b", { state: "STARTING", startedAt }, { by: "bob" });
  const [, registered, started] = store.history.after(0);
  assert.ok(registered !== undefined && "job" in registered && started !== undefined && "job" in started);
  assert.deepEqual([registered.was, registered.cause], [undefined, { by: "ann" }]);
  assert.deepEqual([started.was, started.cause], ["INITIAL", { by: "bob" }]);
  assert.deepEqual(store.history.after(started.seq), []);
  assert.equal(store.history.now.seq, started.seq);
});

Deno.test("statusAt() returns the status right after a change", () => {
  using store = new Store(":memory:");
  add(store, "a");
  const { seq } = store.history.now;
  store.change("a", { state: "STARTING", startedAt });
  const job = store.get("a");
  assert.ok(job !== undefined);
  assert.deepEqual(store.history.statusAt(job, seq), { state: "INITIAL" });
  assert.deepEqual(store.history.statusAt(job, seq + 1), { state: "STARTING", startedAt });
  assert.equal(store.history.statusAt(job, seq - 1), undefined);
});

Deno.test("lastMissing is the last change that is no longer stored", () => {
  using store = new Store(":memory:");
  assert.equal(store.history.lastMissing, 0);
  for (let count = 0; count <= 1_001; count++) {
    add(store, `job-${count}`);
    store.remove(`job-${count}`);
  }
  const { lastMissing } = store.history;
  assert.ok(lastMissing > 0);
  assert.equal(store.history.after(0)[0]?.seq, lastMissing + 1 + 1, "The next removal follows a registration");
});
