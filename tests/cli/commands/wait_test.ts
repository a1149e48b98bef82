/** `teleport wait` of one job and of many, through outages of the server. */
import assert from "node:assert/strict";
import { jobStatus } from "../../support/cli_messages.ts";
import { FakeIo, teleport, untilAborted } from "../../support/fake_io.ts";
import { a, aEnded, b, bEnded, current, event, lost, server } from "../../support/fake_events.ts";

Deno.test("teleport wait prints nothing and exits with the job's code, now or later", async () => {
  for (const events of [[event("KNOWN", bEnded)], [event("KNOWN", b), current, event("CHANGED", bEnded)]]) {
    const { io, asked } = server([events]);
    assert.equal(await teleport(io, "wait", "b"), 7);
    assert.equal(io.stdout.text, "");
    assert.deepEqual(asked[0]?.ids, ["b"]);
  }
});

Deno.test("teleport wait --output json prints only the final status", async () => {
  const { io } = server([[event("KNOWN", b), current, event("CHANGED", bEnded)]]);
  assert.equal(await teleport(io, "--output", "json", "wait", "b"), 7);
  assert.equal(JSON.parse(io.stdout.text).exit_code, 7);
});

Deno.test("teleport wait of several jobs prints how each ended, and exits with the first code that is not 0", async () => {
  const events = [event("KNOWN", a), event("KNOWN", b), current, event("CHANGED", bEnded), event("CHANGED", aEnded)];
  for (const args of [["a", "b"], ["--all", "a", "b", "a"]]) {
    const { io } = server([events]);
    assert.equal(await teleport(io, "wait", ...args), 7);
    assert.equal(io.stdout.text, "b EXITED 7\na EXITED 0\n");
  }
});

Deno.test("teleport wait --any ends with the first job", async () => {
  const { io } = server([[event("KNOWN", a), event("KNOWN", b), current, event("CHANGED", aEnded)]]);
  assert.equal(await teleport(io, "wait", "--any", "a", "b"), 0);
  assert.equal(io.stdout.text, "a EXITED 0\n");
  assert.equal(await teleport(io, "wait", "--any", "--all", "a"), 2);
});

Deno.test("teleport wait continues after the last event after an outage", async () => {
  const { io, asked } = server(
    [[event("KNOWN", a), event("KNOWN", b), { ...current, token: "t1" }], lost],
    [[event("CHANGED", bEnded, "t2")], lost],
    [[event("CHANGED", aEnded, "t3")]],
  );
  assert.equal(await teleport(io, "wait", "a", "b"), 7);
  assert.deepEqual(asked.map(({ token }) => token), ["", "t1", "t2"]);
  assert.equal(await teleport(server([[event("KNOWN", a)], lost]).io, "wait", "--retry-for", "0s", "a"), 255);
});

Deno.test("teleport wait fails when a job is removed before its end, even during an outage", async () => {
  const removed = event("REMOVED", jobStatus({ id: "a" }));
  for (
    const streams of [[[[event("KNOWN", a), current, removed]]], [[[event("KNOWN", a), current], lost], [[current]]]]
  ) {
    const { io } = server(...streams);
    assert.equal(await teleport(io, "wait", "a"), 1);
    assert.match(io.stderr.text, /Job "a" was removed before it ended/);
  }
  // A job that ended before it was removed counts as ended.
  assert.equal(await teleport(server([[event("KNOWN", b), current, event("REMOVED", bEnded)]]).io, "wait", "b"), 7);
});

Deno.test("teleport wait --timeout exits 124 when the job has not ended, and as the job when it has", async () => {
  const asked: unknown[] = [];
  const io = new FakeIo({
    async *WatchJobs(request, options) {
      asked.push(request);
      yield event("KNOWN", a);
      yield current;
      await untilAborted(options?.signal);
    },
  });
  assert.equal(await teleport(io, "wait", "--timeout", "20ms", "a"), 124);
  assert.match(io.stderr.text, /^teleport: Waited for 20ms, and not ended: job "a"\n$/);
  assert.equal(asked.length, 1);
  const { io: other } = server([[event("KNOWN", bEnded)]]);
  assert.equal(await teleport(other, "wait", "--timeout", "1h", "b"), 7);
});

Deno.test("teleport wait with filters watches only jobs that match, and none when there are none", async () => {
  const io = new FakeIo({
    List: ({ labels, states }) => {
      assert.deepEqual([{ ...labels }, states?.length], [{ a: "b" }, 4]);
      return Promise.resolve({ jobs: [], next_page_token: "" });
    },
  });
  assert.equal(await teleport(io, "wait", "-l", "a=b"), 0);
  assert.equal(io.stderr.text, "teleport: No job matches the filters\n");
});

for (const state of ["STATE_LOST", "STATE_FAILED"] as const) {
  Deno.test(`teleport wait says on standard error why a job has no end of its own: ${state}`, async () => {
    const { io } = server([[event("KNOWN", jobStatus({ id: "a", state, error: "The job host died" }))]]);
    assert.equal(await teleport(io, "wait", "a"), state === "STATE_LOST" ? 1 : 126);
    assert.equal(io.stdout.text, "");
    assert.equal(io.stderr.text, `teleport: Job "a" is ${state.slice(6)}: The job host died\n`);
  });
}
