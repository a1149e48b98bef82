/** `teleport signal`. */
import assert from "node:assert/strict";
import { running } from "../../support/cli_messages.ts";
import { FakeIo, teleport } from "../../support/fake_io.ts";

Deno.test("teleport signal sends the name unchanged and prints nothing", async () => {
  let asked: unknown;
  const io = new FakeIo({
    Signal: (request) => {
      asked = request;
      return Promise.resolve(running());
    },
  });
  assert.equal(await teleport(io, "signal", "job-1", "hup"), 0);
  assert.deepEqual(asked, { id: "job-1", signal: "hup" });
  assert.equal(io.stdout.text, "");
  assert.equal(await teleport(io, "--output", "json", "signal", "job-1", "9"), 0);
  assert.equal(JSON.parse(io.stdout.text).state, "RUNNING");
});
