/** `teleport stop` of one job and of many. */
import assert from "node:assert/strict";
import { exited, jobStatus } from "../../support/cli_messages.ts";
import { FakeIo, teleport } from "../../support/fake_io.ts";

const killed = jobStatus({ state: "STATE_KILLED", signal: "SIGTERM", reason: "REASON_STOPPED", stopped_by: "ada" });

Deno.test("teleport stop sends only a given grace period, and prints how the job ended", async () => {
  const asked: unknown[] = [];
  const io = new FakeIo({
    Stop: (request) => {
      asked.push(request);
      return Promise.resolve(killed);
    },
  });
  assert.equal(await teleport(io, "stop", "job-1"), 0);
  assert.equal(await teleport(io, "stop", "--grace", "0s", "job-1"), 0);
  assert.deepEqual(asked, [{ id: "job-1", grace_ms: undefined }, { id: "job-1", grace_ms: 0 }]);
  assert.equal(io.stdout.text, "job-1 KILLED SIGTERM (stopped by ada)\n".repeat(2));
});

Deno.test("teleport stop stops several jobs at once and prints them in order", async () => {
  const slow = Promise.withResolvers<void>();
  const io = new FakeIo({
    Stop: async ({ id }) => {
      // The first job ends only after the call for the second. Calls in turn would wait for ever.
      if (id === "a") await slow.promise;
      else slow.resolve();
      return { ...exited(0), id: id ?? "" };
    },
  });
  assert.equal(await teleport(io, "stop", "a", "b"), 0);
  assert.equal(io.stdout.text, "a EXITED 0\nb EXITED 0\n");
});
