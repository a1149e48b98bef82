/** Which ended jobs are forgotten, and when: by age, number and disk, oldest end first, and none that is watched. */
import assert from "node:assert/strict";
import { InvalidArgumentError, JobNotFoundError, LimitReachedError } from "../../../worker/errors.ts";
import { Retention } from "../../../worker/supervisor/retention.ts";
import type { EndedJob } from "../../../worker/store/rows.ts";
import { Supervisor, type SupervisorOptions } from "../../../mod.ts";
import { jobCounts } from "../../support/job_counts.ts";

async function withDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "teleport-test-" });
  try {
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Runs a job to its end. */
async function run(supervisor: Supervisor, ...[command, ...args]: string[]): Promise<string> {
  const id = await supervisor.add(command ?? "true", args);
  await supervisor.start(id);
  for await (const _ of supervisor.watchStatus(id));
  return id;
}

async function ids(supervisor: Supervisor): Promise<string[]> {
  return (await supervisor.list({ ascending: true })).jobs.map(({ id }) => id);
}

/** Resolves when the job is forgotten. */
async function forgotten(supervisor: Supervisor, id: string): Promise<void> {
  // Retention's own timer keeps no program alive.
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

/** Ended jobs at these ages in milliseconds, the oldest first, and a retention of them. */
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

Deno.test("Retention.makeRoom() forgets the oldest ends first, and says how many", () => {
  const { retention, left } = retentionOf([500, 400, 300, 200], { watched: ["1"] });
  assert.equal(retention.removeOldest(2), 2);
  assert.deepEqual(left(), ["1", "3"]);
  assert.equal(retention.removeOldest(2), 1);
  assert.equal(retention.removeOldest(2), 0);
  assert.deepEqual(left(), ["1"]);
  assert.equal(retention.removeOldest(0), 0);
});

Deno.test("Retention.freeBytes() forgets as few as give the bytes back, also beyond one block of many", () => {
  const { retention, left } = retentionOf(Array.from({ length: 300 }, (_, index) => 1_000 - index));
  assert.equal(retention.freeBytes(15), 20);
  assert.equal(left().length, 298);
  assert.equal(retention.freeBytes(2_500), 2_500);
  assert.equal(left().length, 48);
  assert.equal(retention.freeBytes(1_000_000), 480);
});

Deno.test("Retention does not try all jobs when one cannot be forgotten: the disk takes none of it then", () => {
  const { retention, attempts } = retentionOf([300, 200, 100], { broken: true });
  assert.equal(retention.removeOldest(2), 0);
  assert.equal(attempts(), 1);
});

Deno.test("Retention.removeExpired() forgets what is too old now, and has no timer where nothing can get so", () => {
  const all = retentionOf([1_000, 900], { maxAgeMs: 900 });
  all.retention.removeExpired();
  assert.deepEqual(all.left(), []); // A timer that was left would fail the test.
  const forEver = retentionOf([1e12]);
  forEver.retention.removeExpired();
  assert.deepEqual(forEver.left(), ["0"]);
  const some = retentionOf([10_000, 1], { maxAgeMs: 5_000 });
  some.retention.removeExpired();
  assert.deepEqual(some.left(), ["1"]);
  some.retention.close();
});

Deno.test("Retention.close() ends its timer, and nothing is forgotten after it", () => {
  const { retention, left } = retentionOf([1_000, 1], { maxAgeMs: 500, watched: ["0"] });
  retention.removeExpired(); // Waits for the watched one.
  retention.close();
  retention.removeExpired();
  assert.equal(retention.removeOldest(1), 0);
  assert.deepEqual(left(), ["0", "1"]);
});

Deno.test("for a new job the one that ended first is forgotten; those that run, wait or are watched stay", async () => {
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
    // By now all that ended is read: it can go.
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

Deno.test("a job that is watched by its id among many is not forgotten before its end is told", async () => {
  await using supervisor = new Supervisor({ maxJobs: 1 });
  const id = await supervisor.add("true");
  await using watcher = supervisor.watchJobs({ ids: [id] });
  assert.equal((await watcher.next()).value?.type, "known");
  await supervisor.start(id);
  for await (const _ of supervisor.watchStatus(id));
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

Deno.test("when the disk is short, jobs that ended go, oldest end first, with their output", () =>
  withDirectory(async (directory) => {
    await using supervisor = new Supervisor({ directory, maxOutputBytes: 300_000 });
    const some: string[] = [];
    for (let index = 0; index < 5; index++) some.push(await run(supervisor, "head", "-c", "100000", "/dev/zero"));
    assert.deepEqual(await ids(supervisor), some.slice(3));
    await supervisor.close(); // Resolves when what was to be deleted is.
    assert.deepEqual([...Deno.readDirSync(`${directory}/output`)].map(({ name }) => name).sort(), some.slice(3));
  }));

Deno.test("what was asked for counts as disk too: a job that does not fit is refused", async () => {
  await using supervisor = new Supervisor({ maxOutputBytes: 50_000 });
  const long = "x".repeat(40_000);
  await supervisor.add("true", [long]);
  await assert.rejects(supervisor.add("true", [long]), LimitReachedError);
  await supervisor.add("true");
});

Deno.test("a later life with tighter bounds forgets at its start what is too much, too old or too many", async () => {
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

Deno.test("a job is forgotten when it gets too old, counted from its end and not its start", async () => {
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

Deno.test("numbers that are none, and shares beyond the whole, are refused", () => {
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
