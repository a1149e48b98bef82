/** Databases of every earlier version become one of this, with all that was in them. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { StoreUnusableError } from "../../worker/errors.ts";
import { Store } from "../../worker/store.ts";
import type { JobQuery } from "../../worker/store_query.ts";
import { MIGRATIONS } from "../../worker/store_schema.ts";
import { Supervisor } from "../../worker/supervisor.ts";

const V1 = new URL("./testdata/store_v1.sql", import.meta.url);
const [EXITED, STOPPED, FAILED, INITIAL, RAN] = [
  "01a20d39-fafb-709e-854b-7f7efeb91a26",
  "01a20d39-fb0c-70a2-b7d5-423a3ef5e2eb",
  "01a20d39-fb12-72fd-a5ab-93c3a00106da",
  "01a20d39-fb13-7429-9d23-e47ad443fcc4",
  "01a20d39-fb14-7000-8000-000000000001",
] as const;

/** A directory with a database as version 1 left it. */
async function version1(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "teleport-test-" });
  const database = new DatabaseSync(`${directory}/jobs.db`);
  database.exec(`${MIGRATIONS[0]} PRAGMA user_version=1;`);
  database.exec(await Deno.readTextFile(V1));
  database.close();
  try {
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** The tables and indexes of a database, as their definitions. */
function schemaOf(path: string): unknown[] {
  const database = new DatabaseSync(path);
  try {
    return database.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name").all();
  } finally {
    database.close();
  }
}

Deno.test("a database of version 1 becomes what a new one is, table by table", () =>
  version1(async (directory) => {
    new Store(`${directory}/jobs.db`)[Symbol.dispose]();
    new Store(`${directory}/fresh.db`)[Symbol.dispose]();
    assert.deepEqual(schemaOf(`${directory}/jobs.db`), schemaOf(`${directory}/fresh.db`));
    assert.ok(schemaOf(`${directory}/jobs.db`).length > 10);
    // Once is enough.
    new Store(`${directory}/jobs.db`)[Symbol.dispose]();
    await Promise.resolve();
  }));

Deno.test("a database of version 1 keeps its jobs, their statuses, labels and changes, and what they took", () =>
  version1(async (directory) => {
    using store = new Store(`${directory}/jobs.db`);
    const { jobs } = store.select({ orderBy: "registeredAt", descending: false }, 10);
    assert.deepEqual(jobs.map(({ spec }) => spec.id), [EXITED, STOPPED, FAILED, INITIAL, RAN]);
    const [exited, stopped, failed, initial, ran] = jobs;
    assert.deepEqual(exited?.spec.args, ["-c", "echo one; echo two >&2; exit 7"]);
    assert.deepEqual(exited?.spec.env, { WORD: "x" });
    assert.deepEqual(exited?.spec.registeredAt, new Date(1795518233339));
    assert.equal(exited?.output?.totals.stdoutSha256.length, 32);
    assert.deepEqual(stopped?.status, {
      state: "KILLED",
      signal: "SIGTERM",
      startedAt: new Date(1795518233357),
      endedAt: new Date(1795518233359),
      pid: 28998,
      reason: "STOPPED",
      stoppedBy: "ann",
    });
    assert.deepEqual(failed?.spec.args, ["  ", ""]);
    assert.deepEqual(initial?.status, { state: "INITIAL" });
    assert.equal(ran?.process?.leader, 28999);
    const found = (filter: Partial<JobQuery>) =>
      store.select({ orderBy: "registeredAt", descending: false, ...filter }, 10)
        .jobs.map(({ spec }) => spec.id);
    assert.deepEqual(found({ labels: { "a b": "ü", kind: "test" } }), [EXITED]);
    assert.deepEqual(found({ command: "sh -c echo one" }), [EXITED]);
    assert.deepEqual(found({ owner: "ann", states: ["INITIAL"] }), [INITIAL]);
    assert.deepEqual(found({ orderBy: "endedAt" }), [EXITED, STOPPED, FAILED]);
    assert.deepEqual(found({ orderBy: "startedAt" }), [EXITED, STOPPED, RAN]);
    assert.deepEqual(store.unfinished().map(({ spec }) => spec.id), [RAN]);
    const changes = store.changesAfter(0).map((change) => {
      assert.ok("job" in change);
      return [change.job.spec.id, change.was, change.job.status.state, change.cause.by];
    });
    assert.deepEqual(changes.filter(([id]) => id === STOPPED), [
      [STOPPED, undefined, "INITIAL", "bob"],
      [STOPPED, "INITIAL", "STARTING", undefined],
      [STOPPED, "STARTING", "RUNNING", undefined],
      [STOPPED, "RUNNING", "STOPPING", undefined],
      [STOPPED, "STOPPING", "KILLED", "ann"],
    ]);
    assert.equal(changes.length, 16);
    const { jobs: count, bytes } = store.totals();
    assert.equal(count, 5);
    assert.ok(bytes > 500, `${bytes}`);
    await Promise.resolve();
  }));

Deno.test("a supervisor takes up what version 1 left: what ran is LOST, what was never started can be", () =>
  version1(async (directory) => {
    await using supervisor = new Supervisor({ directory });
    assert.equal((await supervisor.status(RAN)).state, "LOST");
    assert.equal((await supervisor.status(EXITED)).exitCode, 7);
    await supervisor.start(INITIAL);
    let text = "";
    for await (const { data } of supervisor.watchOutput(INITIAL)) text += new TextDecoder().decode(data);
    assert.equal(text, "later");
    for (const id of [EXITED, STOPPED, FAILED, INITIAL, RAN]) await supervisor.remove(id);
    assert.equal((await supervisor.counts()).jobs, 0);
  }));

Deno.test("a migration that is cut short leaves the earlier version, to be done again", () =>
  version1(async (directory) => {
    const path = `${directory}/jobs.db`;
    const before = schemaOf(path);
    const database = new DatabaseSync(path);
    database.exec("INSERT INTO jobs VALUES ('broken', 'no JSON', '{}', NULL, NULL)");
    database.close();
    assert.throws(() => new Store(path), StoreUnusableError);
    assert.deepEqual(schemaOf(path), before);
    const mended = new DatabaseSync(path);
    mended.exec("DELETE FROM jobs WHERE id = 'broken'");
    mended.close();
    using store = new Store(path);
    assert.equal(store.totals().jobs, 5);
    await Promise.resolve();
  }));

Deno.test("a database of a later version, one that is damaged, and what is none are refused with a sentence", async () => {
  const directory = await Deno.makeTempDir({ prefix: "teleport-test-" });
  const path = `${directory}/jobs.db`;
  const refused = (sentence: RegExp) => {
    for (const open of [() => new Store(path), () => new Supervisor({ directory })]) {
      assert.throws(open, (error) => {
        assert.ok(error instanceof StoreUnusableError);
        assert.match(error.message, sentence);
        assert.ok(!error.message.includes(directory));
        return true;
      });
    }
  };
  await Deno.writeTextFile(path, "This is no database, but long enough to be taken for one. ".repeat(100));
  refused(/is damaged/);
  await Deno.remove(path);
  {
    using store = new Store(path);
    for (let index = 0; index < 100; index++) {
      const spec = { id: `job-${index}`, command: "true", args: ["x".repeat(1_000)], registeredAt: new Date() };
      store.add(spec, JSON.stringify(spec));
    }
  }
  const bytes = await Deno.readFile(path);
  // The first page holds the names of all tables.
  await Deno.writeFile(path, bytes.fill(0xff, 100, 4_096));
  refused(/is damaged/);
  await Deno.remove(path);
  new Store(path)[Symbol.dispose]();
  const database = new DatabaseSync(path);
  database.exec("PRAGMA user_version=99");
  database.close();
  refused(/is of version "99", this program knows "2": use a newer one/);
  await Deno.remove(directory, { recursive: true });
});

Deno.test("the database is its owner's alone, also one that was not, and so is the log beside it", async () => {
  const directory = await Deno.makeTempDir({ prefix: "teleport-test-" });
  const path = `${directory}/jobs.db`;
  const modeOf = (name: string) => (Deno.statSync(name).mode ?? 0) & 0o777;
  {
    using _store = new Store(path);
    assert.equal(modeOf(path), 0o600);
    assert.equal(modeOf(`${path}-wal`), 0o600);
  }
  await Deno.chmod(path, 0o644);
  {
    using _store = new Store(path);
    assert.equal(modeOf(path), 0o600);
    assert.equal(modeOf(`${path}-wal`), 0o600);
  }
  await Deno.remove(directory, { recursive: true });
});
