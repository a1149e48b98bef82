/** The shutdown of the server: in order, within bounded time, with exit code 0 unless jobs could not be stopped. */
import assert from "node:assert/strict";
import { findInstances, untilEnd } from "../../teleportd/host/instance_directory.ts";
import {
  killWithHosts,
  readUntil,
  type Server,
  spawnServer,
  spawnWithInput,
  startServer,
} from "../support/programs.ts";
import { clientOf, living, startUp } from "../support/server_process.ts";
import { tempDir } from "../support/temp_dir.ts";
import { deadline } from "../support/deadline.ts";

/** Streams have 5 seconds. The margin is for the last writes and for a busy machine. */
const DRAIN_MS = 5_000;
const MARGIN_MS = 60_000;

/** Sends SIGTERM and returns the time until the end of the server. */
async function stop(server: Pick<Server, "process">): Promise<number> {
  const begin = performance.now();
  server.process.kill("SIGTERM");
  const { code, signal } = await deadline(server.process.status, "the end of the process");
  assert.deepEqual([code, signal], [0, null]);
  return performance.now() - begin;
}

/**
 * Stops a server, and at the same moment one that has nothing to wait for: a busy machine delays both. Returns how much
 * longer the first one took, in milliseconds.
 */
async function stopLongerThan(idle: Server, server: Pick<Server, "process">): Promise<number> {
  const [tookMs, idleMs] = await Promise.all([stop(server), stop(idle)]);
  return tookMs - idleMs;
}

/** Returns the state of a job after a restart of the server. */
async function stateAfter(dir: string, id: string): Promise<{ state: string; reason: string }> {
  await using server = await startServer({ dir });
  await using client = await clientOf(server);
  const { state, reason } = await client.calls.Status({ id });
  return { state, reason };
}

async function withDirectory(use: (dir: string) => Promise<void>): Promise<void> {
  await using temporary = await tempDir();
  const dir = temporary.path;

  await use(dir);
}

Deno.test("teleportd waits 5 seconds for watchers that read nothing", async () => {
  await using server = await startServer();
  await using client = await clientOf(server);
  const id = await startUp(client.calls, "echo up; exec head -c 30000000 /dev/zero");
  for await (const _ of client.calls.StatusStream({ id }));
  // Each watcher has its own connection, and the server has more to send than they take.
  const silent = await Promise.all(Array.from({ length: 3 }, () => clientOf(server)));
  const streams = silent.map(({ calls }) => calls.GetOutput({ id })[Symbol.asyncIterator]());
  await Promise.all(streams.map((stream) => stream.next()));
  const tookMs = await stop(server);
  assert.ok(tookMs > DRAIN_MS - 500 && tookMs < DRAIN_MS + MARGIN_MS, `${tookMs} ms`);
  for (const stream of streams) await stream.return?.();
  for (const each of silent) await each[Symbol.asyncDispose]();
});

Deno.test("teleportd ends the streams of WatchJobs, StatusStream and GetOutput with UNAVAILABLE", async () => {
  await using server = await startServer();
  await using client = await clientOf(server);
  const { calls } = client;
  const { id } = await calls.Register({ command: "true" });
  const streams = [calls.WatchJobs({}), calls.StatusStream({ id }), calls.GetOutput({ id })];
  const ends = streams.map((stream) => Array.fromAsync<unknown>(stream).then(() => "end", ({ status }) => status));
  await calls.Status({ id });
  await using idle = await startServer();
  const longerMs = await stopLongerThan(idle, server);
  assert.deepEqual(await Promise.all(ends), ["UNAVAILABLE", "UNAVAILABLE", "UNAVAILABLE"]);
  assert.ok(longerMs < DRAIN_MS - 1_000, `${longerMs} ms longer`);
});

Deno.test("teleportd kills a job that ignores SIGTERM after its grace period, and wakes a stopped one", () =>
  withDirectory(async (dir) => {
    const server = await startServer({ dir });
    const client = await clientOf(server);
    const { calls } = client;
    const { id: deaf } = await calls.Register({
      command: "sh",
      args: ["-c", "trap '' TERM; echo up; while :; do sleep 0.01; done"],
      grace_ms: 300,
    });
    for await (const { state } of calls.Start({ id: deaf })) if (state === "STATE_RUNNING") break;
    for await (const _ of calls.GetOutput({ id: deaf })) break;
    const stopped = await startUp(calls, "trap 'exit 3' TERM; echo up; kill -STOP $$; while :; do sleep 0.01; done");
    await client[Symbol.asyncDispose]();
    await using idle = await startServer();
    const beganMs = performance.now();
    const longerMs = await stopLongerThan(idle, server);
    assert.ok(performance.now() - beganMs > 300);
    await server[Symbol.asyncDispose]();
    // The other job has a grace period of 10 s, and would use it if it were not woken.
    assert.ok(longerMs < 9_000, `${longerMs} ms longer`);
    assert.deepEqual([...living(deaf), ...living(stopped)], []);
    assert.deepEqual(await stateAfter(dir, deaf), { state: "STATE_KILLED", reason: "REASON_SHUTDOWN" });
    assert.deepEqual(await stateAfter(dir, stopped), { state: "STATE_EXITED", reason: "REASON_SHUTDOWN" });
  }));

Deno.test("teleportd exits with 1 and says so when a job host that hangs keeps its jobs running", async () => {
  await using server = await startServer({ args: ["--cgroup=off"] });
  await using client = await clientOf(server);
  const id = await startUp(client.calls, "echo up; exec sleep 1000");
  const [host] = (await findInstances(`${server.dir}/data`)).filter(({ isAlive }) => isAlive);
  const signal = (name: Deno.Signal) => Deno.kill(host!.info!.pid, name);
  signal("SIGSTOP");
  try {
    assert.equal(await server.stop(), 1);
    assert.match(
      server.log(),
      /^error Cannot stop all jobs: 1 job has not ended, or the job host does not answer: run teleportd host stop /m,
    );
    assert.equal(living(id).length, 1);
  } finally {
    signal("SIGCONT");
  }
  // It has received the call, and ends with its last job.
  await deadline(untilEnd(host!), "the end of the job host");
  assert.deepEqual(living(id), []);
});

Deno.test("teleportd ends after its recovery when SIGTERM comes during it", () =>
  withDirectory(async (dir) => {
    const first = await startServer({ dir });
    const client = await clientOf(first);
    // The job reports the SIGTERM of the recovery and continues. Nobody reads its other output.
    const asked = `${dir}/asked`;
    const script = `trap 'echo yes > ${asked}' TERM; echo up; exec > /dev/null 2>&1; while :; do sleep 0.01; done`;
    const id = await startUp(client.calls, script);
    await killWithHosts(first);
    await client[Symbol.asyncDispose]();
    await first[Symbol.asyncDispose]();
    using changes = Deno.watchFs(dir);
    const second = spawnServer({ dir });
    const served = (async () => {
      let log = "";
      for await (const text of second.process.stderr.pipeThrough(new TextDecoderStream())) {
        log += text;
        if (log.includes("listening on")) break;
      }
      return log;
    })();
    const heard = (async () => {
      for await (const { paths } of changes) if (paths.includes(asked)) break;
      return "asked";
    })();
    assert.equal(await Promise.race([heard, served]), "asked");
    await stop(second);
    // The server only warns about the authority's key before that.
    assert.doesNotMatch(await served, /listening on|Stopping|error/);
    assert.deepEqual(living(id), []);
    assert.deepEqual(await stateAfter(dir, id), { state: "STATE_LOST", reason: "REASON_LOST" });
  }));

Deno.test("teleportd ends by SIGTERM at every moment of its start, and the next one starts", () =>
  withDirectory(async (dir) => {
    // The certificates exist then, so the start is short.
    await using _ = await startServer({ dir });
    await stop(_);
    for (let delayMs = 0; delayMs <= 700; delayMs += 70) {
      const server = spawnServer({ dir });
      const log = new Response(server.process.stderr).text();
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      server.process.kill("SIGTERM");
      const { code, signal } = await deadline(server.process.status, "the end of the process");
      // Before the server handles signals, it has nothing to end in order.
      assert.ok(code === 0 || signal === "SIGTERM", `${delayMs} ms: ${code} ${signal}`);
      assert.doesNotMatch(await log, /error/);
    }
    await using last = await startServer({ dir });
    await using client = await clientOf(last);
    assert.equal(await client.health(), "SERVING");
  }));

Deno.test("teleportd does not wait for watchers after a second signal", async () => {
  await using server = await startServer();
  await using client = await clientOf(server);
  const { calls } = client;
  const ended = await startUp(calls, "echo up; exec head -c 30000000 /dev/zero");
  for await (const _ of calls.StatusStream({ id: ended }));
  const output = calls.GetOutput({ id: ended })[Symbol.asyncIterator]();
  await output.next();
  const running = await startUp(calls, "trap 'echo no' TERM; echo up; while :; do sleep 0.01; done");
  const told = calls.GetOutput({ id: running })[Symbol.asyncIterator]();
  await told.next();
  await using idle = await startServer();
  // Not SIGTERM, because the second signal would count as a repetition.
  server.process.kill("SIGINT");
  await told.next();
  const longerMs = await stopLongerThan(idle, server);
  assert.ok(longerMs < DRAIN_MS - 1_000, `${longerMs} ms longer`);
  assert.deepEqual(living(running), []);
  await output.return?.();
  await told.return?.();
});

Deno.test("teleportd does not wait for a client that could send more input to a job that continues", async () => {
  await using server = await startServer({ stopJobs: false });
  const program = spawnWithInput(server, "run", "-i", "--", "sh", "-c", "echo up; exec cat");
  const [writer, reader] = [program.stdin.getWriter(), program.stdout.getReader()];
  await readUntil(reader, "up\n");
  await writer.write(new TextEncoder().encode("hello\n"));
  await readUntil(reader, "hello\n");
  await using idle = await startServer();
  const longerMs = await stopLongerThan(idle, server);
  assert.ok(longerMs < DRAIN_MS - 1_000, `${longerMs} ms longer`);
  program.kill("SIGKILL");
  await deadline(program.status, "the end of the program");
  await Promise.all([writer.close().catch(() => {}), reader.cancel(), program.stderr.cancel()]);
});
