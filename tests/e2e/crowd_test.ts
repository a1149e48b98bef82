/**
 * Many clients that connect and leave at once: the server keeps running, and frees memory and descriptors.
 * Measures: the memory of a server.
 */
import assert from "node:assert/strict";
import { startServer } from "../support/programs.ts";
import { clientOf, descriptorsBackTo, descriptorsOf, memoryMiB, startUp } from "../support/server_process.ts";

Deno.test("25 clients make 100 calls at once and close, and the server keeps serving", async () => {
  await using server = await startServer();
  await using observer = await clientOf(server);
  const { id } = await observer.calls.Register({ command: "true" });
  const before = descriptorsOf(server);
  for (let times = 0; times < 25; times++) {
    await using client = await clientOf(server);
    const answers = await Promise.all(Array.from({ length: 100 }, () => client.calls.Status({ id })));
    for (const answer of answers) assert.equal(answer.id, id);
  }
  await descriptorsBackTo(server, before);
  assert.equal(await observer.health(), "SERVING");
});

Deno.test("clients close during 100 open calls, and the server keeps serving", async () => {
  await using server = await startServer();
  await using observer = await clientOf(server);
  const before = descriptorsOf(server);
  for (let times = 0; times < 10; times++) {
    const client = await clientOf(server);
    await client.health(); // Connected, so that the calls are at the server when the client closes.
    const calls = Array.from({ length: 100 }, () => client.calls.List({}).then(() => "OK", ({ status }) => status));
    await client[Symbol.asyncDispose]();
    for (const outcome of await Promise.all(calls)) assert.match(outcome, /^(OK|CANCELLED)$/);
  }
  await descriptorsBackTo(server, before);
  assert.equal(await observer.health(), "SERVING");
});

/** The largest memory in MiB. Measured with 70 crowds: 240 to 315, without a trend. */
const MAX_MEMORY_MIB = 450;

Deno.test("teleportd keeps no descriptor and no memory of 1,000 watchers that have left", async () => {
  await using server = await startServer();
  await using observer = await clientOf(server);
  const id = await startUp(observer.calls, "echo up; exec sleep 1000");
  const before = descriptorsOf(server);
  for (let crowd = 0; crowd < 5; crowd++) {
    const clients = await Promise.all(Array.from({ length: 4 }, () => clientOf(server)));
    await Promise.all(clients.map(async ({ calls }) => {
      const watchers = Array.from({ length: 250 }, async (_, index) => {
        const watcher = (index % 2 === 0 ? calls.GetOutput : calls.StatusStream)({ id })[Symbol.asyncIterator]();
        assert.equal((await watcher.next()).done, false);
        return watcher;
      });
      // All watchers are connected before the first one leaves.
      for (const watcher of await Promise.all(watchers)) await watcher.return?.();
    }));
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
    await descriptorsBackTo(server, before);
    const memory = memoryMiB(server, "VmRSS");
    assert.ok(memory < MAX_MEMORY_MIB, `${memory} MiB after crowd ${crowd + 1}`);
  }
  assert.equal((await observer.calls.Stop({ id })).state, "STATE_KILLED");
});
