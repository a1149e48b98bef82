/** Tests for selected jobs: the order, the limit, and the size of a block. */
import assert from "node:assert/strict";
import { encodeSpec } from "../../../worker/store/json.ts";
import { MAX_BLOCK_CHARS } from "../../../worker/store/job_selection.ts";
import { Store } from "../../../worker/store/store.ts";

const OLDEST_FIRST = { orderBy: "registeredAt", descending: false } as const;

function storeOf(jobs: readonly { readonly id: string; readonly arg?: string; readonly labels?: object }[]): Store {
  const store = new Store(":memory:");
  for (const { id, arg = "", labels } of jobs) {
    const spec = { id, command: "sh", args: [arg], registeredAt: new Date(), labels: { ...labels } };
    store.add(spec, encodeSpec(spec));
  }
  return store;
}

const idsOf = (jobs: readonly { readonly spec: { readonly id: string } }[]) => jobs.map(({ spec }) => spec.id);

Deno.test("select() and selectInTurns() return at most `limit` jobs and say whether there are more", async () => {
  using store = storeOf([{ id: "a" }, { id: "b" }, { id: "c" }]);
  for (const [limit, ids, hasMore] of [[2, ["a", "b"], true], [3, ["a", "b", "c"], false]] as const) {
    for (
      const { jobs, more } of [
        store.selection.select(OLDEST_FIRST, limit),
        await store.selection.selectInTurns(OLDEST_FIRST, limit),
      ]
    ) assert.deepEqual([idsOf(jobs), more], [ids, hasMore]);
  }
  assert.deepEqual(store.selection.selectKeys(OLDEST_FIRST, 2), { keys: [1, 2], more: true });
});

Deno.test("select() returns a job that is larger than a block, and ends the block before the next", () => {
  const arg = "x".repeat(MAX_BLOCK_CHARS);
  using store = storeOf([{ id: "a", arg }, { id: "b", arg }]);
  const { jobs, more } = store.selection.select(OLDEST_FIRST, 10);
  assert.deepEqual([idsOf(jobs), more], [["a"], true]);
});

Deno.test("select() finds jobs that have all labels, whichever label is rarer", () => {
  using store = storeOf([
    { id: "a", labels: { common: "1" } },
    { id: "b", labels: { common: "1", rare: "1" } },
    { id: "c", labels: { rare: "2" } },
  ]);
  const { jobs } = store.selection.select({ ...OLDEST_FIRST, labels: { common: "1", rare: "1" } }, 10);
  assert.deepEqual(idsOf(jobs), ["b"]);
});

Deno.test("selectInTurns() finds old jobs by the beginning of their ids among many newer ones, page by page", async () => {
  const of = (first: string, count: number) =>
    Array.from({ length: count }, (_, at) => ({ id: `${first}-${String(at).padStart(6, "0")}` }));
  // More than are rare, then more than are read in one step, then more than are rare.
  const jobs = [...of("01", 2_500), ...of("02", 12_000), ...of("01b", 100)];
  using store = storeOf(jobs);
  for (const descending of [true, false]) {
    const wanted = jobs.map(({ id }) => id).filter((id) => id.startsWith("01"));
    if (descending) wanted.reverse();
    const found: string[] = [];
    let after: { at: number; key: number } | undefined;
    let isMore = true;
    while (isMore) {
      const query = { orderBy: "registeredAt", descending, idPrefix: "01", ...(after && { after }) } as const;
      const page = await store.selection.selectInTurns(query, 900);
      assert.ok(page.jobs.length > 0 && page.jobs.length <= 900);
      found.push(...idsOf(page.jobs));
      after = { at: 0, key: page.jobs.at(-1)!.key };
      isMore = page.more;
    }
    assert.deepEqual(found, wanted);
    const { keys, more } = store.selection.selectKeys({ orderBy: "registeredAt", descending, idPrefix: "01" }, 5);
    assert.deepEqual([keys.length, more], [5, true]);
  }
});
