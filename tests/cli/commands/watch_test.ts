/** `teleport watch` of one job and of many, through outages of the server. */
import assert from "node:assert/strict";
import { exited, jobStatus, running } from "../../support/cli_messages.ts";
import { FakeCallError, FakeIo, teleport } from "../../support/fake_io.ts";
import { stream } from "../../support/streams.ts";
import { a, aEnded, b, bEnded, current, event, lost, server } from "../../support/fake_events.ts";

const killed = jobStatus({ state: "STATE_KILLED", signal: "SIGTERM", reason: "REASON_STOPPED", stopped_by: "ada" });

Deno.test("teleport watch --output json prints one object per line", async () => {
  const io = new FakeIo({ StatusStream: () => stream(jobStatus(), running(), killed) });
  assert.equal(await teleport(io, "watch", "job-1", "--output", "json"), 0);
  const states = io.stdout.text.trimEnd().split("\n").map((line) => JSON.parse(line).state);
  assert.deepEqual(states, ["INITIAL", "RUNNING", "KILLED"]);
});

Deno.test("teleport watch prints who ended a job, and why", async () => {
  const timedOut = jobStatus({ state: "STATE_KILLED", signal: "SIGKILL", reason: "REASON_TIMED_OUT" });
  const lost = jobStatus({ state: "STATE_LOST", reason: "REASON_LOST", error: "The server died" });
  const io = new FakeIo({ StatusStream: () => stream(killed, timedOut, lost) });
  await teleport(io, "watch", "job-1");
  assert.equal(
    io.stdout.text,
    "KILLED SIGTERM (stopped by ada)\nKILLED SIGKILL (timed out)\nLOST: The server died\n",
  );
});

Deno.test("teleport watch prints the statuses before a lost connection, then fails", async () => {
  async function* broken() {
    yield await Promise.resolve(running());
    throw new FakeCallError("UNAVAILABLE", "Connection lost");
  }
  const io = new FakeIo({ StatusStream: broken });
  assert.equal(await teleport(io, "watch", "--retry-for", "0s", "job-1"), 255);
  assert.equal(io.stdout.text, "RUNNING, pid 4711\n");
  assert.equal(io.stderr.text, "teleport: Connection lost\n");
});

Deno.test("teleport watch gives up on a server that answers and breaks off again and again", async () => {
  async function* broken() {
    yield await Promise.resolve(running());
    throw new FakeCallError("UNAVAILABLE", "Connection lost");
  }
  const io = new FakeIo({ StatusStream: broken });
  assert.equal(await teleport(io, "watch", "--retry-for", "300ms", "job-1"), 255);
  assert.equal(io.stdout.text, "RUNNING, pid 4711\n");
  assert.match(io.stderr.text, /^teleport: Connection lost: trying again for 300ms\nteleport: The server is back\n/);
});

Deno.test("teleport watch continues after an outage, and prints no status twice", async () => {
  let calls = 0;
  const io = new FakeIo({
    async *StatusStream() {
      calls += 1;
      yield running();
      if (calls === 1) throw new FakeCallError("UNAVAILABLE", "Connection lost");
      yield await Promise.resolve(exited(7));
    },
  });
  assert.equal(await teleport(io, "watch", "job-1"), 0);
  assert.equal(io.stdout.text, "RUNNING, pid 4711\nEXITED 7\n");
  assert.match(io.stderr.text, /Connection lost: trying again.*\nteleport: The server is back\n$/);
});

Deno.test("teleport watch of several jobs prints every change until all have ended", async () => {
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

Deno.test("teleport watch without an id watches the jobs that match the filters", async () => {
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
