/** Defects in the server itself: an uncaught exception stops it in order, and a rejected promise does not. */
import assert from "node:assert/strict";
import { spawnServer, startServer } from "../support/programs.ts";
import { deadline, eventually } from "../support/deadline.ts";
import { clientOf, startUp } from "../support/server_process.ts";
import { tempDir } from "../support/temp_dir.ts";

const PROGRAM = "tests/e2e/failing_server.ts";

async function withDirectory(use: (dir: string) => Promise<void>): Promise<void> {
  await using temporary = await tempDir();
  const dir = temporary.path;

  await use(dir);
}

/** Returns a port that is free now. This server cannot report its port. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Returns the exit code. */
async function endOf(process: Deno.ChildProcess): Promise<number> {
  return (await deadline(process.status, "the end of the server")).code;
}

Deno.test("teleportd logs an uncaught exception, ends jobs in order, and exits with 70", () =>
  withDirectory(async (dir) => {
    const server = await startServer({ dir, program: PROGRAM });
    let id;
    {
      await using client = await clientOf(server);
      const gate = `${dir}/gate`;
      assert.ok((await new Deno.Command("mkfifo", { args: [gate] }).output()).success);
      const script = `trap 'read go <"${gate}"; exit 3' TERM; echo up; while :; do sleep 0.01; done`;
      id = await startUp(client.calls, script);
      assert.equal(await client.health(), "SERVING");
      server.process.kill("SIGUSR2");
      // The job waits with its end, and watchers see how it ends.
      await eventually(async () => await client.health() !== "SERVING", "the stop of the server");
      assert.equal(await client.health(), "NOT_SERVING");
      const statuses = client.calls.StatusStream({ id })[Symbol.asyncIterator]();
      let last = (await statuses.next()).value?.state;
      assert.match(`${last}`, /^STATE_(RUNNING|STOPPING)$/);
      await deadline(Deno.writeTextFile(gate, "go\n"), "the job has its SIGTERM");
      for (let step = await statuses.next(); !step.done; step = await statuses.next()) last = step.value.state;
      assert.equal(last, "STATE_EXITED");
    }
    assert.equal(await endOf(server.process), 70);
    await server[Symbol.asyncDispose]();
    assert.match(server.log(), /^error Uncaught exception: Error: injected exception at .*failing_server\.ts/m);
    await using next = await startServer({ dir });
    await using client = await clientOf(next);
    const { state, reason } = await client.calls.Status({ id });
    assert.deepEqual([state, reason], ["STATE_EXITED", "REASON_SHUTDOWN"]);
  }));

Deno.test("teleportd logs a rejected promise that nobody awaits, and continues", () =>
  withDirectory(async (dir) => {
    await using server = await startServer({ dir, program: PROGRAM });
    await using client = await clientOf(server);
    const id = await startUp(client.calls, "echo up; exec sleep 1000");
    server.process.kill("SIGUSR1");
    await server.says(/^error Internal error, unhandled rejection: Error: injected rejection/);
    assert.equal(await client.health(), "SERVING");
    assert.equal((await client.calls.Status({ id })).state, "STATE_RUNNING");
  }));

Deno.test("teleportd ends in order after an uncaught exception when its log cannot be written", () =>
  withDirectory(async (dir) => {
    const port = freePort();
    const listen = `127.0.0.1:${port}`;
    const { process } = spawnServer({ dir, program: PROGRAM, listen, redirection: "2>/dev/full" });
    assert.equal(await process.stderr.getReader().read().then(({ done }) => done), true);
    // Ready to fail once it listens.
    await eventually(async () => {
      try {
        (await Deno.connect({ hostname: "127.0.0.1", port })).close();
        return true;
      } catch {
        return false;
      }
    }, "a server that listens");
    process.kill("SIGUSR2");
    assert.equal(await endOf(process), 70);
  }));
