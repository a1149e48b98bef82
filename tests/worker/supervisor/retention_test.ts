/** Tests for retention: by age, number and disk space, oldest end first, and never a watched job. */
import assert from "node:assert/strict";
import { InvalidArgumentError, JobNotFoundError, LimitReachedError } from "../../../worker/errors.ts";
import { Retention } from "../../../worker/supervisor/retention.ts";
import type { EndedJob } from "../../../worker/store/rows.ts";
import { Supervisor, type SupervisorOptions } from "../../../mod.ts";
import { jobCounts } from "../../support/job_counts.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { finalStatus } from "../../support/final_status.ts";

async function withDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  await using temporary = await tempDir();
  const directory = temporary.path;
  await use(directory);
}

/** Runs a job to its end. */
async function run(supervisor: Supervisor, ...[command, ...args]: string[]): Promise<string> {
  const id = await supervisor.add(command ?? "true", args);
  await supervisor.start(id);
  await finalStatus(supervisor, id);
  return id;
}

async function ids(supervisor: Supervisor): Promise<string[]> {
  return (await supervisor.list({ ascending: true })).jobs.map(({ id }) => id);
}

/** Resolves when the job is removed. */
async function forgotten(supervisor: Supervisor, id: string): Promise<void> {
  // The timer of retention does not keep the program running.
  const alive = setInterval(() => {}, 1_000);
  try {
    for await (const event of supervisor.watchJobs()) {
      if (event.type === "removed" && event.status.id === id) return;
      if (event.type === "current" && !(await ids(supervisor)).includes(id)) return;
    }
  } finally {
    clearInterval(alive);
  }
}

/** Makes a retention of ended jobs with these ages in milliseconds, the oldest first. */
function retentionOf(ages: number[], options: { maxAgeMs?: number; watched?: string[]; broken?: boolean } = {}) {
  const now = Date.now();
  let jobs = ages.map((age, index): EndedJob => ({ key: index, id: `${index}`, endedAt: new Date(now - age) }));
  const watched = new Set(options.watched);
  let attempts = 0;
  const retention = new Retention({
    maxAgeMs: options.maxAgeMs ?? Infinity,
    ended: (after, limit) => jobs.filter(({ key }) => key > (after?.key ?? -1)).slice(0, limit),
    isWatched: (id) => watched.has(id),
    remove: (id) => {
      attempts += 1;
      if (options.broken) return undefined;
      jobs = jobs.filter((job) => job.id !== id);
      return 10;
    },
  });
  return { retention, left: () => jobs.map(({ id }) => id), attempts: () => attempts };
}

Deno.test("removeOldest() removes the oldest ends first and returns their number", () => {
  const { retention, left } = retentionOf([500, 400, 300, 200], { watched: ["1"] });
  assert.equal(retention.removeOldest(2), 2);
  assert.deepEqual(left(), ["1", "3"]);
  assert.equal(retention.removeOldest(2), 1);
  assert.equal(retention.removeOldest(2), 0);
  assert.deepEqual(left(), ["1"]);
  assert.equal(retention.removeOldest(0), 0);
});

Deno.test("freeBytes() removes no more jobs than needed, also from several blocks", () => {
  const { retention, left } = retentionOf(Array.from({ length: 300 }, (_, index) => 1_000 - index));
  assert.equal(retention.freeBytes(15), 20);
  assert.equal(left().length, 298);
  assert.equal(retention.freeBytes(2_500), 2_500);
  assert.equal(left().length, 48);
  assert.equal(retention.freeBytes(1_000_000), 480);
});

Deno.test("removeOldest() stops at the first job that cannot be removed", () => {
  const { retention, attempts } = retentionOf([300, 200, 100], { broken: true });
  assert.equal(retention.removeOldest(2), 0);
  assert.equal(attempts(), 1);
});

Deno.test("removeExpired() removes expired jobs, and sets no timer when no job can expire", () => {
  const all = retentionOf([1_000, 900], { maxAgeMs: 900 });
  all.retention.removeExpired();
  assert.deepEqual(all.left(), []); // A remaining timer would fail the test.
  const forEver = retentionOf([1e12]);
  forEver.retention.removeExpired();
  assert.deepEqual(forEver.left(), ["0"]);
  const some = retentionOf([10_000, 1], { maxAgeMs: 5_000 });
  some.retention.removeExpired();
  assert.deepEqual(some.left(), ["1"]);
  some.retention.close();
});

Deno.test("close() cancels the timer, and no job is removed afterwards", () => {
  const { retention, left } = retentionOf([1_000, 1], { maxAgeMs: 500, watched: ["0"] });
  retention.removeExpired(); // Sets a timer for the watched job.
  retention.close();
  retention.removeExpired();
  assert.equal(retention.removeOldest(1), 0);
  assert.deepEqual(left(), ["0", "1"]);
});

Deno.test("add() removes the job that ended first, and keeps jobs that run, wait or are watched", async () => {
  await using supervisor = new Supervisor({ maxJobs: 4, closeGraceMs: 100 });
  const first = await run(supervisor);
  const running = await supervisor.add("sleep", ["1000"]);
  await supervisor.start(running);
  const second = await run(supervisor);
  const initial = await supervisor.add("true");
  {
    await using watcher = supervisor.watchOutput(first, { follow: true });
    const watching = watcher.next();
    const third = await supervisor.add("true");
    assert.deepEqual(await ids(supervisor), [first, running, initial, third]);
    await assert.rejects(supervisor.status(second), JobNotFoundError);
    await watching;
    // The ended jobs are no longer watched, so they can be removed.
    await supervisor.add("true");
    assert.deepEqual((await ids(supervisor)).includes(first), false);
  }
  await assert.rejects(supervisor.add("true"), (error) => {
    assert.ok(error instanceof LimitReachedError);
    assert.match(error.message, /Cannot keep more than 4 jobs, and no ended job can be removed/);
    return true;
  });
  assert.equal((await jobCounts(supervisor)).jobs, 4);
});

Deno.test("retention keeps a job that a watcher of many jobs gave by id until the watcher has its end", async () => {
  await using supervisor = new Supervisor({ maxJobs: 1 });
  const id = await supervisor.add("true");
  await using watcher = supervisor.watchJobs({ ids: [id] });
  assert.equal((await watcher.next()).value?.type, "known");
  await supervisor.start(id);
  await finalStatus(supervisor, id);
  await assert.rejects(supervisor.add("true"), LimitReachedError);
  const types: string[] = [];
  for await (const event of watcher) {
    types.push(event.type === "changed" ? event.status.state : event.type);
    if (event.type === "changed" && event.status.state === "EXITED") break;
  }
  assert.deepEqual(types, ["current", "STARTING", "RUNNING", "EXITED"]);
  await supervisor.add("true");
  await assert.rejects(supervisor.status(id), JobNotFoundError);
});

Deno.test("retention removes ended jobs with their output when disk space is short, oldest end first", () =>
  withDirectory(async (directory) => {
    await using supervisor = new Supervisor({ directory, maxOutputBytes: 300_000 });
    const some: string[] = [];
    for (let index = 0; index < 5; index++) some.push(await run(supervisor, "head", "-c", "100000", "/dev/zero"));
    assert.deepEqual(await ids(supervisor), some.slice(3));
    await supervisor.close(); // Resolves when all deletions have finished.
    assert.deepEqual([...Deno.readDirSync(`${directory}/output`)].map(({ name }) => name).sort(), some.slice(3));
  }));

Deno.test("add() refuses a job whose arguments do not fit on the disk", async () => {
  await using supervisor = new Supervisor({ maxOutputBytes: 50_000 });
  const long = "x".repeat(40_000);
  await supervisor.add("true", [long]);
  await assert.rejects(supervisor.add("true", [long]), LimitReachedError);
  await supervisor.add("true");
});

Deno.test("a restart with lower limits removes jobs that are too large, too old or too many", async () => {
  const cases: readonly [SupervisorOptions, number][] = [
    [{ maxJobs: 2 }, 2],
    [{ maxOutputBytes: 25_000 }, 2],
    [{ maxAgeMs: 0 }, 0],
    [{ maxAgeMs: 1e12, maxJobs: 100 }, 5],
    [{ maxDiskShare: 0.9 }, 5],
    [{ maxDiskShare: 0 }, 0],
  ];
  for (const [options, left] of cases) {
    await withDirectory(async (directory) => {
      const all: string[] = [];
      {
        await using supervisor = new Supervisor({ directory });
        for (let index = 0; index < 5; index++) all.push(await run(supervisor, "head", "-c", "10000", "/dev/zero"));
      }
      await using supervisor = new Supervisor({ directory, ...options });
      await supervisor.ready();
      assert.deepEqual(await ids(supervisor), all.slice(5 - left), JSON.stringify(options));
    });
  }
});

Deno.test("a job expires by the age of its end, not of its start", async () => {
  await using supervisor = new Supervisor({ maxAgeMs: 50 });
  const id = await supervisor.add("sleep", ["0.1"]);
  await supervisor.start(id);
  await forgotten(supervisor, id);
  const endedAt = Date.now();
  await assert.rejects(supervisor.status(id), JobNotFoundError);
  const next = await supervisor.add("true");
  await supervisor.start(next);
  await forgotten(supervisor, next);
  assert.ok(Date.now() - endedAt >= 50);
});

Deno.test("new Supervisor() refuses retention options that are out of range", () => {
  for (
    const options of [
      { maxJobs: 0 },
      { maxJobs: NaN },
      { maxAgeMs: -1 },
      { maxOutputBytes: -1 },
      { maxDiskShare: 1.1 },
      { maxDiskShare: -0.1 },
    ]
  ) assert.throws(() => new Supervisor(options), InvalidArgumentError, JSON.stringify(options));
});
