/** The call List: order, filters and pages, also while jobs come and go. */
import assert from "node:assert/strict";
import type { JobWorkerClient } from "../../../proto/service.ts";
import { all, certificateOf, codeOf, startService } from "../../support/service.ts";

const ann = certificateOf("ann", "operator");
type Filter = Parameters<JobWorkerClient["List"]>[0];

async function register(calls: JobWorkerClient, labels: Record<string, string> = {}): Promise<string> {
  return (await calls.Register({ command: "true", labels })).id;
}

async function listed(calls: JobWorkerClient, filter: Filter = {}): Promise<string[]> {
  const { jobs, next_page_token } = await calls.List(filter);
  assert.equal(next_page_token, "");
  return jobs.map(({ id }) => id);
}

Deno.test("List answers whole statuses, the newest first", async () => {
  await using service = startService();
  const calls = service.as(ann);
  assert.deepEqual(await calls.List({}), { jobs: [], next_page_token: "" });
  const ids = [await register(calls), await register(calls), await register(calls)];
  const { jobs } = await calls.List({});
  assert.deepEqual(jobs.map(({ id }) => id), ids.toReversed());
  for (const job of jobs) assert.deepEqual(job, await calls.Status({ id: job.id }));
});

Deno.test("List misses and repeats no job on its pages while jobs come and go", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const ids: string[] = [];
  for (let count = 0; count < 10; count++) ids.unshift(await register(calls));
  const seen: string[] = [];
  let page_token = "";
  let pages = 0;
  do {
    const page = await calls.List({ page_size: 3, page_token });
    assert(page.jobs.length <= 3);
    seen.push(...page.jobs.map(({ id }) => id));
    page_token = page.next_page_token;
    pages += 1;
    // A new job, and the removal of the last job of the page, do not shift the next page.
    await register(calls);
    await calls.Remove({ id: page.jobs.at(-1)!.id });
  } while (page_token !== "");
  assert.deepEqual([seen, pages], [ids, 4]);
});

Deno.test("List has no further page when the last one is full", async () => {
  await using service = startService();
  const calls = service.as(ann);
  for (let count = 0; count < 4; count++) await register(calls);
  const page = await calls.List({ page_size: 2 });
  assert.notEqual(page.next_page_token, "");
  const last = await calls.List({ page_size: 2, page_token: page.next_page_token });
  assert.deepEqual([last.jobs.length, last.next_page_token], [2, ""]);
});

Deno.test("List answers 100 jobs by default, and bounds a larger size", async () => {
  await using service = startService();
  const calls = service.as(ann);
  for (let count = 0; count < 101; count++) await register(calls);
  assert.equal((await calls.List({})).jobs.length, 100);
  for (const page_size of [101, 1_000, 1_001, 4_294_967_295]) {
    assert.equal((await calls.List({ page_size })).jobs.length, 101);
  }
});

Deno.test("List filters by states, labels and both", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const a = await register(calls, { kind: "a", size: "1" });
  const b = await register(calls, { kind: "b", size: "1" });
  const plain = await register(calls);
  await all(calls.Start({ id: b }));
  assert.deepEqual(await listed(calls, { labels: { size: "1" } }), [b, a]);
  assert.deepEqual(await listed(calls, { labels: { size: "1", kind: "a" } }), [a]);
  assert.deepEqual(await listed(calls, { labels: { size: "2" } }), []);
  assert.deepEqual(await listed(calls, { labels: { toString: "1" } }), []);
  assert.deepEqual(await listed(calls, { states: ["STATE_EXITED"] }), [b]);
  assert.deepEqual(await listed(calls, { states: ["STATE_INITIAL"] }), [plain, a]);
  assert.deepEqual(await listed(calls, { states: ["STATE_INITIAL", "STATE_EXITED"] }), [plain, b, a]);
  assert.deepEqual(await listed(calls, { states: ["STATE_INITIAL"], labels: { size: "1" } }), [a]);
  assert.deepEqual(await listed(calls, { states: ["STATE_LOST"] }), []);
});

Deno.test("List refuses a token that it did not issue", async () => {
  await using service = startService();
  const calls = service.as(ann);
  await register(calls);
  for (const page_token of ["x", "\0", "../..", "a".repeat(10_000)]) {
    assert.equal(await codeOf(() => calls.List({ page_token })), "INVALID_ARGUMENT", page_token.slice(0, 10));
  }
});

Deno.test("List counts ages by the server's clock, on every page, and before the client's times", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const ids: string[] = [];
  for (let count = 0; count < 5; count++) ids.unshift(await register(calls));
  const far = { seconds: Math.floor(Date.now() / 1_000) + 604_800, nanos: 0 };
  // A client whose clock is a week ahead: six days ago by its clock is tomorrow.
  assert.deepEqual(await listed(calls, { registered_until: far, registered_until_age_ms: 6 * 86_400_000 }), []);
  assert.deepEqual(await listed(calls, { registered_since: far, registered_since_age_ms: 3_600_000 }), ids);
  assert.deepEqual(await listed(calls, { registered_until_age_ms: 0 }), ids);
  assert.deepEqual(await listed(calls, { ended_until_age_ms: 0 }), []);
  const filter = { registered_since_age_ms: 3_600_000, registered_until_age_ms: 0, page_size: 2 };
  const seen: string[] = [];
  let page_token = "";
  do {
    const page = await calls.List({ ...filter, page_token });
    seen.push(...page.jobs.map(({ id }) => id));
    page_token = page.next_page_token;
    await new Promise((resolve) => setTimeout(resolve, 2));
  } while (page_token !== "");
  assert.deepEqual(seen, ids);
  for (const field of ["registered_since", "registered_until", "ended_since", "ended_until"] as const) {
    await assert.rejects(calls.List({ [`${field}_age_ms`]: 3_155_760_000_001 }), {
      code: "INVALID_ARGUMENT",
      message: `'${field}_age_ms' must be an integer from 0 to 3155760000000, got 3155760000001`,
    });
  }
  const { value } = await calls.WatchJobs({ registered_until: far, registered_until_age_ms: 3_600_000 })
    [Symbol.asyncIterator]().next();
  assert.equal(value?.kind, "JOB_EVENT_KIND_CURRENT");
});
