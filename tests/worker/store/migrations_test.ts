/** Tests for the migration of databases of every older version. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { StoreUnusableError } from "../../../worker/storage_errors.ts";
import { Store } from "../../../worker/store/store.ts";
import type { JobQuery } from "../../../worker/store/list_query.ts";
import { MIGRATIONS } from "../../../worker/store/migrations.ts";
import { Supervisor } from "../../../worker/supervisor/supervisor.ts";
import { jobCounts } from "../../support/job_counts.ts";
import { tempDir } from "../../support/temp_dir.ts";

/** The ids of the jobs in the database of an older version, one of each kind. */
interface Left {
  readonly exited: string;
  readonly stopped: string;
  readonly failed: string;
  readonly initial: string;
  readonly ran: string;
  /** The number of changes, registrations and removals included. */
  readonly changes: number;
}

const VERSION_2: Left = {
  exited: "01a20d60-ffba-76ad-9249-e9577bd4ea91",
  stopped: "01a20d60-ffc9-76f2-b23d-8417e6548fa3",
  failed: "01a20d60-ffee-726b-9b6a-4b42b50c162e",
  initial: "01a20d60-fff0-731e-93d0-c4e9f24974ba",
  ran: "01a20d60-fff2-76fd-9020-e59756f0f986",
  changes: 17,
};

/**
 * The jobs by version. The program of versions 1 and 2 has written its file in `testdata`. The file of version 3 is that of
 * version 2 after its migration.
 */
const LEFT: Readonly<Record<number, Left>> = {
  1: {
    exited: "01a20d39-fafb-709e-854b-7f7efeb91a26",
    stopped: "01a20d39-fb0c-70a2-b7d5-423a3ef5e2eb",
    failed: "01a20d39-fb12-72fd-a5ab-93c3a00106da",
    initial: "01a20d39-fb13-7429-9d23-e47ad443fcc4",
    ran: "01a20d39-fb14-7000-8000-000000000001",
    changes: 16,
  },
  2: VERSION_2,
  3: VERSION_2,
};

/** All older versions. */
const EARLIER = MIGRATIONS.slice(1).map((_, index) => index + 1);

/** Makes a directory with the database of an older version. */
async function version(number: number, use: (directory: string, left: Left) => Promise<void>): Promise<void> {
  const left = LEFT[number];
  assert.ok(left, `There is no test data of version ${number}`);
  await using temporary = await tempDir();
  const directory = temporary.path;
  const database = new DatabaseSync(`${directory}/jobs.db`);
  for (const migration of MIGRATIONS.slice(0, number)) database.exec(migration);
  database.exec(`PRAGMA user_version=${number};`);
  database.exec(await Deno.readTextFile(new URL(`./testdata/store_v${number}.sql`, import.meta.url)));
  database.close();
  await use(directory, left);
}

/** Returns the definitions of the tables and indexes of a database. */
function schemaOf(path: string): unknown[] {
  const database = new DatabaseSync(path);
  try {
    return database.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name").all();
  } finally {
    database.close();
  }
}

for (const number of EARLIER) {
  Deno.test(`migrate() gives a database of version ${number} the tables of a new one`, () =>
    version(number, async (directory) => {
      new Store(`${directory}/jobs.db`)[Symbol.dispose]();
      new Store(`${directory}/fresh.db`)[Symbol.dispose]();
      assert.deepEqual(schemaOf(`${directory}/jobs.db`), schemaOf(`${directory}/fresh.db`));
      assert.ok(schemaOf(`${directory}/jobs.db`).length > 10);
      // A second start migrates nothing.
      new Store(`${directory}/jobs.db`)[Symbol.dispose]();
      await Promise.resolve();
    }));

  Deno.test(`migrate() keeps all jobs, labels, changes and sizes of version ${number}`, () =>
    version(number, async (directory, left) => {
      using store = new Store(`${directory}/jobs.db`);
      const { jobs } = store.selection.select({ orderBy: "registeredAt", descending: false }, 10);
      assert.deepEqual(jobs.map(({ spec }) => spec.id), [
        left.exited,
        left.stopped,
        left.failed,
        left.initial,
        left.ran,
      ]);
      const [exited, stopped, failed, initial, ran] = jobs;
      assert.deepEqual(exited?.spec.args, ["-c", "echo one; echo two >&2; exit 7"]);
      assert.deepEqual(exited?.spec.env, { WORD: "x" });
      assert.ok(exited?.spec.registeredAt instanceof Date);
      assert.ok(exited.status.state === "EXITED" && exited.status.exitCode === 7);
      assert.equal(exited?.output?.totals.stdoutBytes, 4);
      assert.equal(exited?.output?.totals.stdoutSha256.length, 32);
      assert.ok(stopped?.status.state === "KILLED" && stopped.status.stoppedBy === "ann");
      assert.ok(stopped.status.endedAt >= stopped.status.startedAt && stopped.status.reason === "STOPPED");
      assert.deepEqual(failed?.spec.args, ["  ", ""]);
      assert.deepEqual(initial?.status, { state: "INITIAL" });
      assert.ok(ran?.process?.leader !== undefined && ran.output === undefined);
      const found = (filter: Partial<JobQuery>) =>
        store.selection.select({ orderBy: "registeredAt", descending: false, ...filter }, 10).jobs.map(({ spec }) =>
          spec.id
        );
      assert.deepEqual(found({ labels: { "a b": "ü", kind: "test" } }), [left.exited]);
      assert.deepEqual(found({ command: "sh -c echo one" }), [left.exited]);
      assert.deepEqual(found({ owner: "ann", states: ["INITIAL"] }), [left.initial]);
      assert.deepEqual(found({ orderBy: "endedAt" }), [left.exited, left.stopped, left.failed]);
      assert.deepEqual(found({ orderBy: "startedAt" }), [left.exited, left.stopped, left.ran]);
      assert.deepEqual(store.unfinishedJobs().map(({ spec }) => spec.id), [left.ran]);
      const changes = store.history.after(0);
      assert.equal(changes.length, left.changes);
      const ofStopped = changes.flatMap((change) =>
        "job" in change && change.job.spec.id === left.stopped ? [[change.was, change.job.status.state]] : []
      );
      assert.deepEqual(ofStopped, [
        [undefined, "INITIAL"],
        ["INITIAL", "STARTING"],
        ["STARTING", "RUNNING"],
        ["RUNNING", "STOPPING"],
        ["STOPPING", "KILLED"],
      ]);
      assert.equal(store.count, 5);
      assert.ok(store.bytesAtOpen > 500, `${store.bytesAtOpen}`);
      await Promise.resolve();
    }));

  Deno.test(`a supervisor recovers the jobs of version ${number}`, () =>
    version(number, async (directory, left) => {
      await using supervisor = new Supervisor({ directory });
      assert.equal((await supervisor.status(left.ran)).state, "LOST");
      assert.equal((await supervisor.status(left.exited)).exitCode, 7);
      await supervisor.start(left.initial);
      let text = "";
      for await (const { data } of supervisor.watchOutput(left.initial)) text += new TextDecoder().decode(data);
      assert.equal(text, "later");
      const { exited, stopped, failed, initial, ran } = left;
      for (const id of [exited, stopped, failed, initial, ran]) await supervisor.remove(id);
      assert.equal((await jobCounts(supervisor)).jobs, 0);
    }));
}

Deno.test("add() finds the request ids of version 2", () =>
  version(2, async (directory, { exited }) => {
    await using supervisor = new Supervisor({ directory });
    const options = {
      owner: "ann",
      labels: { kind: "test", "a b": "ü" },
      env: { WORD: "x" },
      timeoutMs: 60_000,
      requestId: "first",
    };
    assert.equal(await supervisor.add("sh", ["-c", "echo one; echo two >&2; exit 7"], options), exited);
    const gone = supervisor.add("true", [], { owner: "eve", requestId: "gone" });
    await assert.rejects(gone, /was used for a job that is removed/);
  }));

Deno.test("migrate() leaves the older version unchanged when it fails", () =>
  version(1, async (directory) => {
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
    assert.equal(store.count, 5);
    await Promise.resolve();
  }));

Deno.test("new Store() refuses a newer version, a damaged database, and another file, with a message", async () => {
  await using temporary = await tempDir();
  const directory = temporary.path;
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
  await Deno.writeTextFile(path, "This file is not a database, but it is long enough. ".repeat(100));
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
  // The first page has the names of all tables.
  await Deno.writeFile(path, bytes.fill(0xff, 100, 4_096));
  refused(/is damaged/);
  await Deno.remove(path);
  new Store(path)[Symbol.dispose]();
  const database = new DatabaseSync(path);
  database.exec("PRAGMA user_version=99");
  database.close();
  refused(/has version 99, but this program knows only 4: use a newer program/);
});

Deno.test("new Store() makes the database and its log private to the owner", async () => {
  await using temporary = await tempDir();
  const directory = temporary.path;
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
});
