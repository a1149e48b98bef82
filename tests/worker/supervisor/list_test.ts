/**
 * Tests for lists: every filter and order against a plain scan of all jobs, and the time with 100,000 jobs.
 * Measures: the time of a page of 100,000 jobs.
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { type JobFilter, type JobOrder, type JobStatus, type ListOptions, Supervisor } from "../../../mod.ts";
import { lineOf, matches, matchesState } from "../../../worker/job/filter.ts";
import type { JobSpec } from "../../../worker/job/spec.ts";
import type { ProcessStatus } from "../../../worker/process/state.ts";
import { Store } from "../../../worker/store/store.ts";
import { encodeOutput, encodeSpec, encodeStatus } from "../../../worker/store/json.ts";
import { cpuMs } from "../../support/cpu_time.ts";
import { defined } from "../../../base/defined.ts";
import { jobCounts } from "../../support/job_counts.ts";
import { tempDir } from "../../support/temp_dir.ts";

/** The limits for the start and for a page, with 100,000 ended jobs. */
const MANY = 100_000;
const MAX_START_MS = 2_000;
const MAX_PAGE_MS = 50;

const NONE = new Uint8Array();
const OUTPUT = {
  end: { position: 0, offsets: { stdout: 0, stderr: 0 } },
  totals: { stdoutBytes: 0, stderrBytes: 0, droppedBytes: 0, stdoutSha256: NONE, stderrSha256: NONE },
};

/** Makes jobs that are the same in every run: owners, labels, commands and ends are in no common order. */
function jobAt(index: number): { spec: JobSpec; status: ProcessStatus } {
  const spec = {
    id: `00000000-0000-7000-8000-${String(index).padStart(12, "0")}`,
    command: index % 3 === 0 ? "make" : "sh",
    args: index % 3 === 0 ? ["-j8", `target-${index % 7}`] : ["-c", `echo ${index}; exit 0`],
    env: { WORD: "some environment" },
    labels: {
      env: index % 2 === 0 ? "prod" : "test",
      part: `${index % 100}`,
      ...(index % 1_000 === 7 ? { rare: "yes" } : {}),
    },
    ...(index % 11 === 0 ? {} : { owner: `user-${index % 10}` }),
    registeredAt: new Date(1_700_000_000_000 + index),
  };
  const startedAt = new Date(1_700_000_000_000 + (index * 7_919) % MANY);
  const endedAt = new Date(startedAt.getTime() + index % 50);
  const ended = { startedAt, endedAt, pid: 2, reason: "EXITED" } as const;
  const status: ProcessStatus = index % 13 === 0
    ? { state: "INITIAL" }
    : index % 1_000 === 8
    ? { state: "KILLED", signal: "SIGTERM", ...ended }
    : { state: "EXITED", exitCode: index % 3, ...ended };
  return { spec, status };
}

/** Fills a database like a server, but in one transaction. */
function fill(path: string, count: number): void {
  new Store(path)[Symbol.dispose]();
  const database = new DatabaseSync(path);
  const job = database.prepare(
    `INSERT INTO jobs (key, id, state, owner, line, registered_at, started_at, ended_at, spec_bytes, output_bytes, seq)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 100, ?)`,
  );
  const specRow = database.prepare("INSERT INTO specs VALUES (?, ?)");
  const label = database.prepare("INSERT INTO labels VALUES (?, ?, ?)");
  const change = database.prepare("INSERT INTO changes (job, at, state, status, output) VALUES (?, ?, ?, ?, ?)");
  database.exec("BEGIN");
  for (let index = 0; index < count; index++) {
    const { spec, status } = jobAt(index);
    const key = index + 1;
    const [text, statusText] = [encodeSpec(spec), encodeStatus(spec.id, status)];
    const startedAt = "startedAt" in status ? status.startedAt?.getTime() ?? null : null;
    const endedAt = "endedAt" in status ? status.endedAt.getTime() : null;
    const registeredAt = spec.registeredAt.getTime();
    const times = [registeredAt, startedAt, endedAt] as const;
    job.run(key, spec.id, status.state, spec.owner ?? "", lineOf(spec), ...times, text.length, key);
    specRow.run(key, text);
    for (const [name, value] of Object.entries(spec.labels ?? {})) label.run(name, value, key);
    const output = status.state === "INITIAL" ? null : encodeOutput(spec.id, OUTPUT);
    change.run(key, registeredAt, status.state, statusText, output);
  }
  database.exec("COMMIT");
  database.close();
}

async function allPages(supervisor: Supervisor, options: ListOptions): Promise<JobStatus[]> {
  const jobs: JobStatus[] = [];
  let pageToken: string | undefined;
  do {
    const page = await supervisor.list({ ...options, ...defined({ pageToken }) });
    assert.ok(page.jobs.length <= (options.pageSize ?? 100));
    jobs.push(...page.jobs);
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined);
  return jobs;
}

/** Returns the expected list, by a scan of all jobs and a sort. */
function expected(all: readonly JobStatus[], options: ListOptions): string[] {
  const timeOf: Record<JobOrder, (job: JobStatus) => number | undefined> = {
    registeredAt: (job) => job.registeredAt.getTime(),
    startedAt: (job) => job.startedAt?.getTime(),
    endedAt: (job) => job.endedAt?.getTime(),
  };
  const time = timeOf[options.orderBy ?? "registeredAt"];
  const { endedSince, endedUntil } = options;
  const found = all.filter((job) =>
    matchesState(options, job.state) && matches(options, { ...job, line: lineOf(job) }) && time(job) !== undefined &&
    (endedSince === undefined || (job.endedAt !== undefined && job.endedAt >= endedSince)) &&
    (endedUntil === undefined || (job.endedAt !== undefined && job.endedAt <= endedUntil))
  );
  const sorted = found.sort((a, b) => (time(a) ?? 0) - (time(b) ?? 0) || (a.id < b.id ? -1 : 1));
  return (options.ascending ? sorted : sorted.reverse()).map(({ id }) => id);
}

const ORDERS: readonly JobOrder[] = ["registeredAt", "startedAt", "endedAt"];

const FILTERS: readonly (JobFilter & Pick<ListOptions, "endedSince" | "endedUntil">)[] = [
  {},
  { states: [] },
  { states: ["KILLED"] },
  { states: ["INITIAL", "KILLED", "LOST"] },
  { owner: "user-3" },
  { owner: "nobody" },
  { labels: { env: "prod" } },
  { labels: { env: "prod", part: "42" } },
  { labels: { env: "prod", part: "43" } },
  { labels: { rare: "yes" } },
  { labels: { rare: "yes", env: "prod" } },
  { labels: { toString: "x" } },
  { command: "make -j8 target-3" },
  { command: "exit" },
  { command: "%" },
  { command: "", owner: "user-1" },
  { registeredSince: new Date(1_700_000_000_100), registeredUntil: new Date(1_700_000_000_200) },
  { endedSince: new Date(1_700_000_030_000), endedUntil: new Date(1_700_000_060_000) },
  { ids: [jobAt(5).spec.id, jobAt(13).spec.id, "missing"] },
  {
    owner: "user-2",
    states: ["EXITED"],
    labels: { part: "2" },
    command: "sh",
    registeredSince: new Date(1_700_000_000_050),
  },
];

Deno.test("list() returns the same jobs as a plain scan, for every filter, order and page size", async () => {
  await using temporary = await tempDir();
  const directory = temporary.path;
  fill(`${directory}/jobs.db`, 1_300);
  await using supervisor = new Supervisor({ directory });
  const all = await allPages(supervisor, { pageSize: 1_000 });
  assert.equal(all.length, 1_300);
  for (const filter of FILTERS) {
    for (const orderBy of ORDERS) {
      for (const ascending of [true, false]) {
        const options = { ...filter, orderBy, ascending };
        const wanted = expected(all, options);
        const what = JSON.stringify(options);
        const found = await allPages(supervisor, { ...options, pageSize: 1_000 });
        assert.deepEqual(found.map(({ id }) => id), wanted, what);
        if (wanted.length > 200) continue;
        const small = await allPages(supervisor, { ...options, pageSize: 7 });
        assert.deepEqual(small.map(({ id }) => id), wanted, what);
      }
    }
  }
  await supervisor.close();
});

Deno.test("list() ends a page early when jobs have a megabyte of arguments, and the next page continues", async () => {
  await using supervisor = new Supervisor();
  const args = Array.from({ length: 8 }, () => "x".repeat(100_000));
  const ids: string[] = [];
  for (let index = 0; index < 5; index++) ids.push(await supervisor.add("true", args));
  const page = await supervisor.list();
  assert.equal(page.jobs.length, 1);
  assert.deepEqual((await allPages(supervisor, { ascending: true })).map(({ id }) => id), ids);
  const seen: string[] = [];
  for await (const event of supervisor.watchJobs()) {
    if (event.type === "current") break;
    if (event.type === "known") seen.push(event.status.id);
  }
  assert.deepEqual(seen, ids);
});

Deno.test("list() repeats and skips no job while other jobs are added and removed", async () => {
  await using supervisor = new Supervisor();
  const ids: string[] = [];
  for (let index = 0; index < 30; index++) ids.push(await supervisor.add("true"));
  const seen: string[] = [];
  let pageToken: string | undefined;
  do {
    const page = await supervisor.list({ pageSize: 4, ...defined({ pageToken }) });
    seen.push(...page.jobs.map(({ id }) => id));
    pageToken = page.nextPageToken;
    await supervisor.add("true");
    await supervisor.remove(seen.at(-1) ?? "");
  } while (pageToken !== undefined);
  assert.deepEqual(seen, ids.toReversed());
});

/** Returns the least processor time of some tries, because the first ones also compile code. Stops at a good one. */
async function leastMs(enoughMs: number, act: () => Promise<unknown>): Promise<number> {
  let least = Infinity;
  for (let count = 0; count < 20 && least >= enoughMs; count++) {
    const start = cpuMs();
    await act();
    least = Math.min(least, cpuMs() - start);
  }
  return least;
}

Deno.test(`ready() takes less than ${MAX_START_MS} ms and list() less than ${MAX_PAGE_MS} ms with ${MANY} ended jobs`, async () => {
  await using temporary = await tempDir();
  const directory = temporary.path;
  fill(`${directory}/jobs.db`, MANY);
  const options = { directory, maxJobs: 1_000_000, maxAgeMs: 1e13, maxDiskShare: 0.9 };
  const startMs = await leastMs(MAX_START_MS, async () => {
    await using supervisor = new Supervisor(options);
    await supervisor.ready();
    assert.equal((await jobCounts(supervisor)).jobs, MANY);
  });
  assert.ok(startMs < MAX_START_MS, `The start took ${startMs} ms of processor time`);
  await using supervisor = new Supervisor(options);
  const timed = async (what: string, options: ListOptions) => {
    const pageMs = await leastMs(MAX_PAGE_MS, () => supervisor.list(options));
    assert.ok(pageMs < MAX_PAGE_MS, `${what} of ${JSON.stringify(options)} took ${pageMs} ms of processor time`);
  };
  for (const filter of FILTERS) {
    for (const orderBy of ORDERS) {
      for (const ascending of [true, false]) {
        await timed("A page", { ...filter, orderBy, ascending });
      }
    }
  }
  // A page after 20,000 jobs is not slower.
  for (const filter of [{}, { labels: { env: "prod" } }, { command: "exit" }]) {
    for (const orderBy of ORDERS) {
      const asked = { ...filter, orderBy };
      let page = await supervisor.list({ ...asked, pageSize: 1_000 });
      for (let count = 1; count < 20; count++) {
        page = await supervisor.list({ ...asked, pageSize: 1_000, pageToken: page.nextPageToken ?? "" });
      }
      await timed("A deep page", { ...asked, pageToken: page.nextPageToken ?? "" });
    }
  }
  await supervisor.close();
});
