/** Long calls over a network that breaks quiet connections. */
import assert from "node:assert/strict";
import { deadline, eventually } from "../support/deadline.ts";
import { runHere } from "./in_process.ts";
import { Proxy } from "./proxy.ts";
import { startServer } from "../support/programs.ts";
import { clientOf, startUp } from "../support/server_process.ts";

/** The time after which a quiet connection breaks, in milliseconds. A handshake on a busy machine is quiet for less. */
const QUIET_MS = 1_500;

Deno.test("teleport stop of a slow job continues when the quiet connection breaks", async () => {
  await using server = await startServer();
  await using client = await clientOf(server);
  const gate = `${server.dir}/gate`;
  assert.ok((await new Deno.Command("mkfifo", { args: [gate] }).output()).success);
  const script = `trap 'read go <"${gate}"; exit 5' TERM; echo up; while :; do sleep 0.05; done`;
  const id = await startUp(client.calls, script);
  await using proxy = new Proxy(server.address);
  proxy.idleMs = QUIET_MS;
  const stop = runHere({ address: proxy.address, dir: server.dir }, "stop", "--grace", "1m", id);
  await eventually(() => proxy.idleCuts >= 3, () => `three broken connections, not ${proxy.idleCuts}`);
  await Deno.writeTextFile(gate, "go\n");
  const { code, stdout, stderr } = await deadline(stop.ended);
  assert.deepEqual([code, stdout], [0, `${id} EXITED 5 (stopped by admin)\n`], stderr);
  assert.match(stderr, /connection was lost: trying again for 2m\n/);
  // All calls joined one stop, with the grace period of the first.
  const { kill_sent_at, exit_code } = await client.calls.Status({ id });
  assert.deepEqual([kill_sent_at, exit_code], [null, 5]);
});

Deno.test("teleport stop --retry-for 0s ends when the connection breaks, and the server finishes the stop", async () => {
  await using server = await startServer();
  await using client = await clientOf(server);
  const id = await startUp(client.calls, "trap '' TERM; echo up; while :; do sleep 0.05; done");
  await using proxy = new Proxy(server.address);
  proxy.idleMs = QUIET_MS;
  const way = { address: proxy.address, dir: server.dir };
  const { code } = await deadline(runHere(way, "stop", "--grace", "1m", "--retry-for", "0s", id).ended);
  assert.equal(code, 255);
  assert.equal((await client.calls.Status({ id })).state, "STATE_STOPPING");
  assert.equal((await client.calls.Stop({ id, grace_ms: 0 })).state, "STATE_KILLED");
});
