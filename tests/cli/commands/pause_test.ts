/** `teleport pause` and `teleport resume`. */
import assert from "node:assert/strict";
import { running } from "../../support/cli_messages.ts";
import { FakeCallError, FakeIo, teleport } from "../../support/fake_io.ts";

for (const [name, call] of [["pause", "Pause"], ["resume", "Resume"]] as const) {
  Deno.test(`teleport ${name} calls the server for each job, prints only JSON, and reports each error`, async () => {
    const asked: unknown[] = [];
    const io = new FakeIo({
      [call]: ({ id }: { id?: string }) => {
        asked.push(id);
        if (id === "bad") return Promise.reject(new FakeCallError("FAILED_PRECONDITION", "It does not run"));
        return Promise.resolve({ ...running(), id, paused: name === "pause" });
      },
    });
    assert.equal(await teleport(io, name, "a", "bad", "b"), 1);
    assert.deepEqual(asked, ["a", "bad", "b"]);
    assert.equal(io.stdout.text, "");
    assert.match(io.stderr.text, /It does not run/);
    assert.equal(await teleport(io, "--output", "json", name, "a"), 0);
    const json = JSON.parse(io.stdout.text);
    assert.deepEqual([json.id, json.state, json.paused], ["a", "RUNNING", name === "pause" ? true : undefined]);
  });
}
