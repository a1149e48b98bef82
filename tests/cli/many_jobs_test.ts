/** Tests of the commands on many jobs: `wait` and `watch` of several, `rm` by filter, and of asking twice for one job. */
import assert from "node:assert/strict";
import type { JobWorkerClient } from "../../proto/service.ts";
import type { JobEvent, JobEventKind, JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import { exited, FakeCallError, FakeIo, jobStatus, running, stream, teleport } from "../support/fake_io.ts";

function event(kind: "KNOWN" | "CURRENT" | "CHANGED" | "REMOVED", job: JobStatus | null, token = "t"): JobEvent {
  const full: JobEventKind = `JOB_EVENT_KIND_${kind}`;
  return { kind: full, job, time: null, token, reason: "REASON_UNSPECIFIED", by: "" };
}

const current = event("CURRENT", null);
const a = { ...running(), id: "a" };
const b = { ...running(), id: "b" };
const aEnded = { ...exited(0), id: "a" };
const bEnded = { ...exited(7), id: "b" };

/** A server that tells these events, one stream a call; a stream without end is cut off by an error. */
function server(...streams: (JobEvent[] | Error)[][]) {
  const asked: Parameters<JobWorkerClient["WatchJobs"]>[0][] = [];
  async function* WatchJobs(request: Parameters<JobWorkerClient["WatchJobs"]>[0]): AsyncGenerator<JobEvent> {
    asked.push(request);
    for (const part of streams.shift() ?? []) {
      if (part instanceof Error) throw part;
      yield* await Promise.resolve(part);
    }
  }
  return { asked, io: new FakeIo({ WatchJobs }) };
}

const lost = new FakeCallError("UNAVAILABLE", "Connection lost");

Deno.test("teleport wait prints nothing and exits as the job did, now or later", async () => {
  for (const events of [[event("KNOWN", bEnded)], [event("KNOWN", b), current, event("CHANGED", bEnded)]]) {
    const { io, asked } = server([events]);
    assert.equal(await teleport(io, "wait", "b"), 7);
    assert.equal(io.stdout.text, "");
    assert.deepEqual(asked[0]?.ids, ["b"]);
  }
});

Deno.test("teleport wait --output json prints the final status alone", async () => {
  const { io } = server([[event("KNOWN", b), current, event("CHANGED", bEnded)]]);
  assert.equal(await teleport(io, "--output", "json", "wait", "b"), 7);
  assert.equal(JSON.parse(io.stdout.text).exit_code, 7);
});

Deno.test("teleport wait of several waits for all of them, tells how each ended, and exits as the first that failed", async () => {
  const events = [event("KNOWN", a), event("KNOWN", b), current, event("CHANGED", bEnded), event("CHANGED", aEnded)];
  for (const args of [["a", "b"], ["--all", "a", "b", "a"]]) {
    const { io } = server([events]);
    assert.equal(await teleport(io, "wait", ...args), 7);
    assert.equal(io.stdout.text, "b EXITED 7\na EXITED 0\n");
  }
});

Deno.test("teleport wait --any ends with the first of them", async () => {
  const { io } = server([[event("KNOWN", a), event("KNOWN", b), current, event("CHANGED", aEnded)]]);
  assert.equal(await teleport(io, "wait", "--any", "a", "b"), 0);
  assert.equal(io.stdout.text, "a EXITED 0\n");
  assert.equal(await teleport(io, "wait", "--any", "--all", "a"), 2);
});

Deno.test("teleport wait goes on behind the last event after an outage", async () => {
  const { io, asked } = server(
    [[event("KNOWN", a), event("KNOWN", b), { ...current, token: "t1" }], lost],
    [[event("CHANGED", bEnded, "t2")], lost],
    [[event("CHANGED", aEnded, "t3")]],
  );
  assert.equal(await teleport(io, "wait", "a", "b"), 7);
  assert.deepEqual(asked.map(({ token }) => token), ["", "t1", "t2"]);
  assert.equal(await teleport(server([[event("KNOWN", a)], lost]).io, "wait", "--retry-for", "0s", "a"), 255);
});

Deno.test("teleport wait says so when a job is removed before it ended, also while it was away", async () => {
  const removed = event("REMOVED", jobStatus({ id: "a" }));
  for (
    const streams of [[[[event("KNOWN", a), current, removed]]], [[[event("KNOWN", a), current], lost], [[current]]]]
  ) {
    const { io } = server(...streams);
    assert.equal(await teleport(io, "wait", "a"), 1);
    assert.match(io.stderr.text, /Job "a" was removed before it ended/);
  }
  // One that had ended before it was removed is as good as any.
  assert.equal(await teleport(server([[event("KNOWN", b), current, event("REMOVED", bEnded)]]).io, "wait", "b"), 7);
});

Deno.test("teleport watch of several prints every change with its job, until all have ended", async () => {
  const { io, asked } = server([
    [event("KNOWN", a), event("KNOWN", b), current, event("CHANGED", bEnded), event("REMOVED", bEnded)],
    [event("CHANGED", aEnded), event("CHANGED", b)],
  ]);
  assert.equal(await teleport(io, "watch", "a", "b"), 0);
  assert.equal(
    io.stdout.text,
    "a RUNNING, pid 4711\nb RUNNING, pid 4711\nb EXITED 7\nb removed\na EXITED 0\n",
  );
  assert.deepEqual(asked[0]?.ids, ["a", "b"]);
});

Deno.test("teleport watch without an id watches what the filters mean, as JSON with what is told of each event", async () => {
  const { io, asked } = server([[event("KNOWN", a), current, event("CHANGED", aEnded)], lost]);
  const args = "--state running --label x=y --command make --owner ada --since 2027-01-15T08:00:00Z".split(" ");
  assert.equal(await teleport(io, "watch", "--output", "json", "--retry-for", "0s", ...args), 255);
  assert.deepEqual(io.stdout.text.trimEnd().split("\n").map((line) => JSON.parse(line).kind), [
    "KNOWN",
    "CURRENT",
    "CHANGED",
  ]);
  const { states, labels, command, owner, registered_since, ids } = asked[0] ?? {};
  assert.deepEqual(
    { states, labels: { ...labels }, command, owner, registered_since, ids },
    {
      states: ["STATE_RUNNING"],
      labels: { x: "y" },
      command: "make",
      owner: "ada",
      registered_since: { seconds: 1_800_000_000, nanos: 0 },
      ids: [],
    },
  );
});

Deno.test("teleport rm by filter removes what it finds, page by page, and only what has ended", async () => {
  const asked: unknown[] = [];
  const removed: string[] = [];
  const io = new FakeIo({
    List: ({ states, page_token }) => {
      asked.push(states);
      return Promise.resolve({
        jobs: [page_token === "" ? aEnded : bEnded],
        next_page_token: page_token === "" ? "2" : "",
      });
    },
    Remove: ({ id }) => {
      removed.push(String(id));
      return Promise.resolve({});
    },
  });
  const final = ["STATE_EXITED", "STATE_KILLED", "STATE_FAILED", "STATE_LOST"];
  assert.equal(await teleport(io, "rm", "--label", "x=y"), 0);
  assert.equal(await teleport(io, "rm", "--ended"), 0);
  assert.equal(await teleport(io, "rm", "--state", "initial"), 0);
  assert.deepEqual(asked, [final, final, final, final, ["STATE_INITIAL"], ["STATE_INITIAL"]]);
  assert.deepEqual(removed, ["a", "b", "a", "b", "a", "b"]);
  assert.equal(io.stdout.text, "a\nb\na\nb\na\nb\n");
});

Deno.test("teleport rm wants ids, filters, or --ended, and not both", async () => {
  const io = new FakeIo();
  assert.equal(await teleport(io, "rm"), 2);
  assert.equal(await teleport(io, "rm", "--ended", "a"), 2);
  assert.equal(await teleport(io, "rm", "--owner", "ada", "a"), 2);
  assert.equal(await teleport(io, "list", "--sort", "size"), 2);
});

for (const args of [["register", "true"], ["run", "-d", "true"]]) {
  Deno.test(`teleport ${args.join(" ")} asks again with the same request id when the connection was lost`, async () => {
    const ids: unknown[] = [];
    const io = new FakeIo({
      Register: ({ request_id }) => {
        ids.push(request_id);
        if (ids.length > 1) return Promise.resolve(jobStatus());
        return Promise.reject(Object.assign(new FakeCallError("UNAVAILABLE"), { unreachable: "LOST" }));
      },
      Start: () => stream(running()),
    });
    assert.equal(await teleport(io, ...args), 0);
    assert.equal(ids.length, 2);
    assert.match(String(ids[0]), /^[0-9a-f-]{36}$/);
    assert.equal(ids[0], ids[1]);
    assert.equal(io.stdout.text, "job-1\n");
  });
}

Deno.test("teleport register does not ask again when there is no server, or it refuses", async () => {
  for (
    const error of [new FakeCallError("UNAVAILABLE", "nothing listens there"), new FakeCallError("PERMISSION_DENIED")]
  ) {
    let calls = 0;
    const io = new FakeIo({
      Register: () => {
        calls += 1;
        return Promise.reject(error);
      },
    });
    assert.equal(await teleport(io, "register", "true"), error.status === "UNAVAILABLE" ? 255 : 1);
    assert.equal(calls, 1);
  }
});
