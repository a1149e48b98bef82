/** WatchJobs, the filters of List, and request ids. */
import assert from "node:assert/strict";
import type { JobWorkerClient } from "../../../proto/service.ts";
import type { JobEvent } from "../../../proto/teleport/v1/job_worker.ts";
import { all, certificateOf, codeOf, startService } from "../../support/service.ts";
import { jobCounts } from "../../support/job_counts.ts";

const ann = certificateOf("ann", "operator");
const bob = certificateOf("bob", "operator");
const eve = certificateOf("eve", "viewer");

type Request = Parameters<JobWorkerClient["WatchJobs"]>[0];

/** Collects events up to and including a wanted one. */
async function until(
  calls: JobWorkerClient,
  request: Request,
  last: (event: JobEvent) => boolean,
): Promise<JobEvent[]> {
  const events: JobEvent[] = [];
  for await (const event of calls.WatchJobs(request)) {
    events.push(event);
    if (last(event)) break;
  }
  return events;
}

const isCurrent = ({ kind }: JobEvent) => kind === "JOB_EVENT_KIND_CURRENT";
const isOf = (id: string, kind: string) => (event: JobEvent) =>
  event.job?.id === id && event.kind === `JOB_EVENT_KIND_${kind}`;

function short({ kind, job }: JobEvent): string {
  return [kind.replace("JOB_EVENT_KIND_", ""), ...(job === null ? [] : [job.id, job.state])].join(" ");
}

Deno.test("WatchJobs shows each caller the visible jobs, also removed ones", async () => {
  await using service = startService();
  const { id: own } = await service.as(ann).Register({ command: "true" });
  const { id: others } = await service.as(bob).Register({ command: "true" });
  const shown = async (calls: JobWorkerClient, request: Request) => (await until(calls, request, isCurrent)).map(short);
  assert.deepEqual(await shown(service.as(ann), {}), [`KNOWN ${own} STATE_INITIAL`, "CURRENT"]);
  assert.deepEqual(await shown(service.as(ann), { owner: "ann" }), [`KNOWN ${own} STATE_INITIAL`, "CURRENT"]);
  assert.deepEqual(await shown(service.as(ann), { owner: "bob" }), ["CURRENT"]);
  assert.deepEqual(await shown(service.as(eve), {}), [
    `KNOWN ${own} STATE_INITIAL`,
    `KNOWN ${others} STATE_INITIAL`,
    "CURRENT",
  ]);
  assert.deepEqual(await shown(service.as(eve), { owner: "bob" }), [`KNOWN ${others} STATE_INITIAL`, "CURRENT"]);
  const token = (await until(service.as(ann), {}, isCurrent)).at(-1)?.token ?? "";
  await service.as(bob).Remove({ id: others });
  await service.as(ann).Remove({ id: own });
  // The event of the hidden job comes first and is not sent.
  const events = await until(service.as(ann), { token }, isOf(own, "REMOVED"));
  assert.deepEqual(events.map(short), [`REMOVED ${own} STATE_INITIAL`]);
});

Deno.test("WatchJobs sends the user, the time, the reason and the status of each change", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const { id } = await calls.Register({ command: "sleep", args: ["1000"], labels: { kind: "x" } });
  const known = await until(calls, { labels: { kind: "x" }, ids: [id] }, isCurrent);
  assert.deepEqual(known.map(({ job }) => job), [await calls.Status({ id }), null]);
  for await (const { state } of calls.Start({ id })) if (state === "STATE_RUNNING") break;
  const final = await calls.Stop({ id });
  const token = known.at(-1)?.token ?? "";
  const events = await until(calls, { token }, (event) => event.job?.state === "STATE_KILLED");
  assert.deepEqual(events.map(({ job, reason, by }) => [job?.state, reason, by]), [
    ["STATE_STARTING", "REASON_UNSPECIFIED", "ann"],
    ["STATE_RUNNING", "REASON_UNSPECIFIED", ""],
    ["STATE_STOPPING", "REASON_STOPPED", "ann"],
    ["STATE_KILLED", "REASON_STOPPED", "ann"],
  ]);
  assert.deepEqual(events.at(-1)?.job, final);
  for (const { time, kind } of events) {
    assert.equal(kind, "JOB_EVENT_KIND_CHANGED");
    assert.ok(time !== null && Math.abs(time.seconds - Date.now() / 1_000) < 60);
  }
  // Each token continues with the rest.
  for (const [index, event] of events.slice(0, -1).entries()) {
    const rest = await until(calls, { token: event.token }, ({ job }) => job?.state === "STATE_KILLED");
    assert.deepEqual(rest.map(short), events.slice(index + 1).map(short));
  }
});

Deno.test("WatchJobs refuses invalid requests with their codes", async () => {
  await using service = startService();
  const { id } = await service.as(ann).Register({ command: "true" });
  const { id: others } = await service.as(bob).Register({ command: "true" });
  const calls = service.as(ann);
  const codes: [Request, string][] = [
    [{ ids: [id, "missing"] }, "JOB_NOT_FOUND"],
    [{ ids: [others] }, "JOB_NOT_FOUND"],
    [{ token: "x" }, "INVALID_ARGUMENT"],
    [{ token: (await calls.List({ page_size: 1 })).next_page_token || "none" }, "INVALID_ARGUMENT"],
    [{ ids: Array.from({ length: 1_001 }, () => id) }, "INVALID_ARGUMENT"],
    [{ command: "x".repeat(1_001) }, "INVALID_ARGUMENT"],
    [{ labels: { "": "x" } }, "INVALID_ARGUMENT"],
    [{ registered_since: { seconds: 1e15, nanos: 0 } }, "INVALID_ARGUMENT"],
  ];
  for (const [request, code] of codes) {
    assert.equal(await codeOf(() => all(calls.WatchJobs(request))), code, JSON.stringify(request).slice(0, 100));
  }
});

Deno.test("List filters by command and times, and sorts by each of them, both ways", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const ids: string[] = [];
  for (const word of ["one", "two", "three"]) {
    ids.push((await calls.Register({ command: "echo", args: [word] })).id);
  }
  const [one = "", two = "", three = ""] = ids;
  // The jobs start and end in another order than they are registered.
  for (const id of [two, three]) await all(calls.Start({ id }));
  const listed = async (request: Parameters<JobWorkerClient["List"]>[0]) =>
    (await calls.List(request)).jobs.map(({ id }) => id);
  assert.deepEqual(await listed({}), [three, two, one]);
  assert.deepEqual(await listed({ oldest_first: true }), [one, two, three]);
  assert.deepEqual(await listed({ command: "echo t" }), [three, two]);
  assert.deepEqual(await listed({ order: "LIST_ORDER_ENDED" }), [three, two]);
  assert.deepEqual(await listed({ order: "LIST_ORDER_STARTED", oldest_first: true }), [two, three]);
  const { ended_at, registered_at } = await calls.Status({ id: two });
  assert.deepEqual(await listed({ ended_until: ended_at, oldest_first: true }), [two]);
  assert.ok((await listed({ ended_since: ended_at })).includes(three));
  assert.ok((await listed({ registered_since: registered_at })).includes(three));
  assert.ok(!(await listed({ registered_until: { seconds: 0, nanos: 0 } })).includes(one));
  // A token is valid only for the list that it came with.
  const { next_page_token: page_token } = await calls.List({ page_size: 1 });
  assert.equal(await codeOf(() => calls.List({ page_size: 2, page_token })), "OK");
  for (const other of [{ oldest_first: true }, { order: "LIST_ORDER_ENDED" }, { command: "echo" }] as const) {
    assert.equal(await codeOf(() => calls.List({ ...other, page_token })), "INVALID_ARGUMENT");
  }
  // A request id of another user is a different one.
  assert.equal(await codeOf(() => service.as(bob).List({ page_token })), "INVALID_ARGUMENT");
});

Deno.test(
  "Register with the same request id gives the same job to the same user, and refuses another job",
  async () => {
    await using service = startService();
    const request = { command: "true", request_id: "once", env: { A: "b" } };
    const first = await service.as(ann).Register(request);
    assert.deepEqual(await service.as(ann).Register(request), first);
    const other = await service.as(bob).Register(request);
    assert.notEqual(other.id, first.id);
    assert.equal(await codeOf(() => service.as(ann).Register({ ...request, command: "false" })), "REQUEST_ID_REUSED");
    assert.equal(
      await codeOf(() => service.as(ann).Register({ ...request, request_id: "x".repeat(129) })),
      "INVALID_ARGUMENT",
    );
    await service.as(ann).Remove({ id: first.id });
    assert.equal(await codeOf(() => service.as(ann).Register(request)), "REQUEST_ID_REUSED");
    assert.equal((await jobCounts(service.supervisor)).jobs, 1);
  },
);

Deno.test(
  "WatchJobs with a token sends its first heartbeat at once, and later ones while nothing changes",
  async () => {
    await using service = startService();
    const calls = service.as(certificateOf("ann", "operator"));
    await calls.Register({ command: "true" });
    const events = calls.WatchJobs({ heartbeat_ms: 1_000 })[Symbol.asyncIterator]();
    const kinds: (string | undefined)[] = [];
    let token = "";
    for (let count = 0; count < 3; count++) {
      const event = (await events.next()).value;
      kinds.push(event?.kind);
      if (count === 2) assert.equal(event?.token, token);
      token = event?.token ?? "";
    }
    assert.deepEqual(kinds, ["JOB_EVENT_KIND_KNOWN", "JOB_EVENT_KIND_CURRENT", "JOB_EVENT_KIND_HEARTBEAT"]);
    await events.return?.();
    const again = calls.WatchJobs({ heartbeat_ms: 1_000, token })[Symbol.asyncIterator]();
    const first = (await again.next()).value;
    assert.deepEqual([first?.kind, first?.token, first?.job], ["JOB_EVENT_KIND_HEARTBEAT", token, null]);
    await calls.Register({ command: "true" });
    assert.equal((await again.next()).value?.kind, "JOB_EVENT_KIND_CHANGED");
    await again.return?.();
  },
);
