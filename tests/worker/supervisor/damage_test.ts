/**
 * Tests for a damaged database or output: it is served unchanged or refused, and never gives data of another job.
 * Slow: it opens a database for each of 42 seeds.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { OutputUnavailableError, RecordDamagedError, StoreUnusableError } from "../../../worker/storage_errors.ts";
import { Supervisor } from "../../../worker/supervisor/supervisor.ts";
import { damageJobs, makeJobs } from "../../torture/damaged_jobs.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { finalStatus } from "../../support/final_status.ts";

/** Makes two jobs with output, closes the supervisor, changes the directory, and opens it again. */
async function changed(
  change: (directory: string, ids: readonly [string, string]) => Promise<void> | void,
  use: (open: () => Supervisor, ids: readonly [string, string]) => Promise<void>,
): Promise<void> {
  await using temporary = await tempDir();
  const directory = temporary.path;
  const ids: string[] = [];
  {
    await using supervisor = new Supervisor({ directory });
    for (const text of ["first", "second"]) {
      const id = await supervisor.add("echo", [text], { requestId: text, owner: "ann" });
      await supervisor.start(id);
      await finalStatus(supervisor, id);
      ids.push(id);
    }
  }
  const [first = "", second = ""] = ids;
  await change(directory, [first, second]);
  await use(() => new Supervisor({ directory }), [first, second]);
}

function inDatabase(directory: string, sql: string, ...values: string[]): void {
  const database = new DatabaseSync(join(directory, "jobs.db"));
  database.prepare(sql).run(...values);
  database.close();
}

async function read(supervisor: Supervisor, id: string): Promise<void> {
  for await (const _ of supervisor.watchOutput(id));
}

const swaps: readonly [what: string, sql: string][] = [
  ["the id of one leads to the row of the other", "UPDATE jobs SET id = CASE id WHEN ?1 THEN ?2 || 'x' ELSE ?1 END"],
  [
    "the spec of one is the other's",
    "UPDATE specs SET spec = (SELECT s.spec FROM specs s JOIN jobs j ON j.key = s.job WHERE j.id = ?2 AND ?1 <> '')",
  ],
  [
    "the last change of one is the other's",
    "UPDATE jobs SET seq = (SELECT seq FROM jobs WHERE id = ?2) WHERE id = ?1",
  ],
  [
    "the status of one is the other's",
    "UPDATE changes SET status = (SELECT c.status FROM changes c JOIN jobs j ON j.seq = c.seq WHERE j.id = ?2) " +
    "WHERE seq = (SELECT seq FROM jobs WHERE id = ?1)",
  ],
  [
    "the totals of one are the other's",
    "UPDATE changes SET output = (SELECT c.output FROM changes c JOIN jobs j ON j.seq = c.seq WHERE j.id = ?2) " +
    "WHERE seq = (SELECT seq FROM jobs WHERE id = ?1)",
  ],
  [
    "an exit code is another number",
    "UPDATE changes SET status = replace(status, '\"exitCode\":0', '\"exitCode\":1') " +
    "WHERE seq = (SELECT seq FROM jobs WHERE id = ?1) AND ?2 <> ''",
  ],
  ["the owner of one is another", "UPDATE jobs SET owner = 'eve' WHERE id = ?1 AND ?2 <> ''"],
];

for (const [what, sql] of swaps) {
  Deno.test(`a supervisor refuses a database in which ${what}`, () =>
    changed((directory, ids) => inDatabase(directory, sql, ...ids), async (open, [first]) => {
      await using supervisor = open();
      await assert.rejects(supervisor.status(first), RecordDamagedError);
      await assert.rejects(read(supervisor, first), RecordDamagedError);
      await assert.rejects(supervisor.remove(first), RecordDamagedError);
      await assert.rejects(supervisor.list(), RecordDamagedError);
      await assert.rejects(supervisor.add("echo", ["first"], { requestId: "first", owner: "ann" }), RecordDamagedError);
    }));
}

Deno.test("a supervisor refuses output in the directory of another job, and deletes none of it", () =>
  changed(async (directory, [first, second]) => {
    await Deno.rename(join(directory, "output", second), join(directory, "away"));
    await Deno.rename(join(directory, "output", first), join(directory, "output", second));
    await Deno.rename(join(directory, "away"), join(directory, "output", first));
  }, async (open, ids) => {
    await using supervisor = open();
    for (const id of ids) {
      assert.equal((await supervisor.status(id)).state, "EXITED");
      await assert.rejects(read(supervisor, id), OutputUnavailableError);
    }
  }));

Deno.test("a supervisor refuses output whose first bytes are damaged, and keeps it", () => {
  let path = "";
  return changed((directory, [first]) => {
    const output = join(directory, "output", first);
    path = join(output, [...Deno.readDirSync(output)][0]?.name ?? "");
    const bytes = Deno.readFileSync(path);
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    Deno.writeFileSync(path, bytes);
  }, async (open, [first]) => {
    await using supervisor = open();
    await assert.rejects(read(supervisor, first), OutputUnavailableError);
    assert.ok(Deno.statSync(path).isFile);
  });
});

Deno.test("a supervisor finds a flipped bit in any copy of a job's id, at the start or at a call", async () => {
  let places = 1;
  let atStart = 0;
  for (let place = 0; place < places; place++) {
    await changed((directory, [first]) => {
      const path = join(directory, "jobs.db");
      const bytes = Deno.readFileSync(path);
      // Each character of an id is one byte in this encoding.
      const text = new TextDecoder("latin1").decode(bytes);
      const found = [...text.matchAll(new RegExp(first, "g"))].map(({ index }) => index);
      places = found.length;
      const at = (found[place] ?? 0) + first.length - 1;
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      Deno.writeFileSync(path, bytes);
    }, async (open, [first, second]) => {
      let supervisor: Supervisor;
      try {
        supervisor = open();
      } catch (error) {
        assert.ok(error instanceof StoreUnusableError);
        assert.match(
          error.message,
          /^The database "jobs.db" in the data directory is damaged: put a copy in its place/,
        );
        atStart += 1;
        return;
      }
      const again = supervisor.add("echo", ["first"], { requestId: "first", owner: "ann" });
      const asked = await Promise.allSettled([supervisor.status(first), again]);
      const refused = asked.flatMap((result) => result.status === "rejected" ? [result.reason] : []);
      assert.ok(refused.length > 0 && refused.every((error) => error instanceof RecordDamagedError), `place ${place}`);
      assert.deepEqual((await supervisor.status(second)).args, ["second"]);
      await supervisor.close();
    });
  }
  assert.ok(places >= 3 && atStart >= 2, `${places} places, ${atStart} found at the start`);
});

Deno.test("a supervisor survives random damage: no data of another job, no stack trace, only errors with a code", async () => {
  await using made = await makeJobs();
  // Seeds 381 and 534 have failed before. `deno task torture:damage` uses new seeds.
  for (const seed of [...Array.from({ length: 40 }, (_, index) => index + 1), 381, 534]) await damageJobs(made, seed);
});
