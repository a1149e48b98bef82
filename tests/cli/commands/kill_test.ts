/** `teleport kill` and `teleport stop` for several jobs. */
import assert from "node:assert/strict";
import { exited, running } from "../../support/cli_messages.ts";
import { FakeIo, teleport } from "../../support/fake_io.ts";

/** A server whose running jobs with a label are these. */
function server() {
  const sent: [string | undefined, string | undefined][] = [];
  const io = new FakeIo({
    List: ({ states, labels }) => {
      assert.deepEqual([states, { ...labels }], [["STATE_STARTING", "STATE_RUNNING", "STATE_STOPPING"], {
        kind: "test",
      }]);
      const ids = ["019a3f5c-7f2a-7abc-8def-000000000001", "019a3f5c-7f2a-7abc-8def-000000000002"];
      return Promise.resolve({ jobs: ids.map((id) => ({ ...running(), id })), next_page_token: "" });
    },
    Signal: ({ id, signal }) => {
      sent.push([id, signal]);
      return Promise.resolve({ ...running(), id: id! });
    },
    Stop: ({ id }) => {
      sent.push([id, "stop"]);
      return Promise.resolve({ ...exited(0), id: id! });
    },
  });
  return { io, sent };
}

const ID = "019a3f5c-7f2a-7abc-8def-0123456789ab";

Deno.test("teleport kill sends SIGKILL, or the signal of -s", async () => {
  const { io, sent } = server();
  assert.equal(await teleport(io, "kill", ID), 0);
  assert.equal(await teleport(io, "kill", "-s", "HUP", ID), 0);
  assert.deepEqual(sent, [[ID, "SIGKILL"], [ID, "HUP"]]);
  assert.equal(io.stdout.text, `${ID}\n${ID}\n`);
});

Deno.test("teleport kill and stop take filters, which select jobs that run", async () => {
  for (const [command, action] of [["kill", "SIGKILL"], ["stop", "stop"]] as const) {
    const { io, sent } = server();
    assert.equal(await teleport(io, command, "-l", "kind=test"), 0);
    assert.deepEqual(sent.map(([id, what]) => [id?.slice(-1), what]), [["1", action], ["2", action]]);
  }
});

Deno.test("teleport stop says when no job matches the filters", async () => {
  const io = new FakeIo({ List: () => Promise.resolve({ jobs: [], next_page_token: "" }) });
  assert.equal(await teleport(io, "stop", "-l", "kind=test"), 0);
  assert.equal(io.stderr.text, "teleport: No job matches the filters\n");
});
