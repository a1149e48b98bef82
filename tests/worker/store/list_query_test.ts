/** Tests for the query plans of lists: a list uses an index where there is one, and sorts only where it must. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { type JobOrder, type JobQuery, keysQuery } from "../../../worker/store/list_query.ts";
import { MIGRATIONS } from "../../../worker/store/migrations.ts";

const database = () => {
  const made = new DatabaseSync(":memory:");
  for (const migration of MIGRATIONS) made.exec(migration);
  return made;
};

/** Returns the plan of SQLite for a list, one step a line. Source: sqlite.org/eqp.html */
function planOf(query: JobQuery): string {
  using opened = database();
  const { sql, values } = keysQuery(query, Object.entries(query.labels ?? {}));
  const rows = opened.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values, 101);
  return rows.map((row) => String(row.detail)).join("\n");
}

const ALL = { key: 5, at: 5 };
const INDEX: Readonly<Record<JobOrder, RegExp>> = {
  registeredAt: /^(SCAN j|SEARCH j USING INTEGER PRIMARY KEY .*)$/,
  startedAt: /^SEARCH j USING COVERING INDEX jobs_by_start /,
  endedAt: /^SEARCH j USING COVERING INDEX jobs_by_end /,
};

for (const orderBy of Object.keys(INDEX) as JobOrder[]) {
  Deno.test(`keysQuery() reads all jobs by ${orderBy}, and the next page, in the order of an index`, () => {
    for (const descending of [true, false]) {
      const first = planOf({ orderBy, descending });
      assert.match(first, INDEX[orderBy]);
      const next = planOf({ orderBy, descending, after: ALL });
      assert.match(next, INDEX[orderBy]);
      assert.match(next, descending ? /[a-z_]+<\?/ : /[a-z_]+>\?/);
      assert.doesNotMatch(`${first}\n${next}`, /TEMP B-TREE/);
    }
  });

  Deno.test(`keysQuery() looks up jobs by label and by id when it sorts by ${orderBy}`, () => {
    for (const after of [undefined, ALL]) {
      const place = after === undefined ? {} : { after };
      const labelled = planOf({ orderBy, descending: true, labels: { part: "1", rare: "yes" }, ...place });
      assert.match(labelled, /^SEARCH l USING PRIMARY KEY \(name=\? AND value=\?/);
      assert.match(labelled, /SEARCH labels (EXISTS )?USING PRIMARY KEY \(name=\? AND value=\? AND job=\?\)/);
      const named = planOf({ orderBy, descending: true, ids: ["a", "b"], ...place });
      assert.match(named, /^SEARCH j USING INTEGER PRIMARY KEY \(rowid=\?\)/);
      assert.doesNotMatch(`${labelled}\n${named}`, /SCAN/);
    }
  });
}

Deno.test("keysQuery() looks up a range of ends when it sorts by them", () => {
  const span = { endedSince: new Date(1), endedUntil: new Date(2) };
  const plan = planOf({ orderBy: "endedAt", descending: true, ...span });
  assert.match(plan, /^SEARCH j USING COVERING INDEX jobs_by_end \(ended_at>\? AND ended_at<\?\)/);
});

Deno.test("keysQuery() finds jobs by name with the index of names, and does not sort in the order of registration", () => {
  const query = { orderBy: "registeredAt", descending: true, name: "web" } as const;
  assert.match(planOf(query), /^SEARCH j USING COVERING INDEX jobs_by_name \(name=\?\)$/);
  assert.match(planOf({ ...query, labels: { a: "b" }, orderBy: "endedAt" }), /^SEARCH j USING INDEX jobs_by_name/);
});

Deno.test("keysQuery() finds jobs by a rare prefix of an id with the index of ids", () => {
  using opened = database();
  const query = { orderBy: "registeredAt", descending: true, idPrefix: "0189" } as const;
  const plan = (isRare: boolean) => {
    const { sql, values } = keysQuery(query, [], isRare);
    return opened.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values, 101).map(({ detail }) => detail).join("\n");
  };
  assert.match(plan(true), /^SEARCH j USING INTEGER PRIMARY KEY \(rowid=\?\)\n.*\nSEARCH jobs USING COVERING INDEX/);
  // In the order of the list: it ends at the limit.
  assert.match(plan(false), /^SCAN j$/);
});
