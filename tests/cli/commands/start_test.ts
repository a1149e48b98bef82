/** `teleport start`, through outages of the server. */
import assert from "node:assert/strict";
import { exited, jobStatus, running } from "../../support/cli_messages.ts";
import { FakeCallError, FakeIo, teleport } from "../../support/fake_io.ts";
import { stream } from "../../support/streams.ts";

const notFound = jobStatus({
  state: "STATE_FAILED",
  reason: "REASON_START_FAILED",
  error: 'Command "x" not found',
  error_code: "COMMAND_NOT_FOUND",
});

Deno.test("teleport start prints every change and exits 0, however the job ended", async () => {
  const io = new FakeIo({ Start: () => stream(jobStatus({ state: "STATE_STARTING" }), running(), exited(7)) });
  assert.equal(await teleport(io, "start", "job-1"), 0);
  assert.equal(io.stdout.text, "STARTING\nRUNNING, pid 4711\nEXITED 7\n");
});

Deno.test("teleport start exits with the code of run when the job cannot be started", async () => {
  const io = new FakeIo({ Start: () => stream(jobStatus({ state: "STATE_STARTING" }), notFound) });
  assert.equal(await teleport(io, "start", "job-1"), 127);
  assert.equal(io.stdout.text, `STARTING\nFAILED: Command "x" not found\n`);
});

for (const command of ["start", "watch"]) {
  Deno.test(`teleport ${command} fails when the stream ends without a status`, async () => {
    const io = new FakeIo({ Start: () => stream(), StatusStream: () => stream() });
    assert.equal(await teleport(io, command, "job-1"), 1);
    assert.match(io.stderr.text, /without a status/);
  });
}

Deno.test("teleport start continues after an outage, and prints no status twice", async () => {
  let calls = 0;
  const io = new FakeIo({
    async *Start() {
      calls += 1;
      yield running();
      if (calls === 1) throw new FakeCallError("UNAVAILABLE", "Connection lost");
      yield await Promise.resolve(exited(7));
    },
  });
  assert.equal(await teleport(io, "start", "job-1"), 0);
  assert.equal(io.stdout.text, "RUNNING, pid 4711\nEXITED 7\n");
  assert.match(io.stderr.text, /Connection lost: trying again.*\nteleport: The server is back\n$/);
});

Deno.test("teleport start does not retry before the first answer, or with --retry-for 0s", async () => {
  async function* broken(yielding: boolean) {
    if (yielding) yield await Promise.resolve(running());
    throw new FakeCallError("UNAVAILABLE", "Connection lost");
  }
  const never = new FakeIo({ Start: () => broken(false) });
  const id = "01930000-0000-7000-8000-000000000000"; // A full id costs no call before the start.
  assert.equal(await teleport(never, "start", id), 255);
  assert.match(never.stderr.text, /^teleport: Job "0193.*" was not seen to start .*\nteleport: Connection lost\n$/);
  assert.equal(await teleport(new FakeIo({ Start: () => broken(true) }), "start", "--retry-for", "0s", "job-1"), 255);
});
