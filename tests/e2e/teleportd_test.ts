/** The server as a process, over real TLS: bad input, many watchers, shutdown. */
import assert from "node:assert/strict";
import type { JobWorkerClient } from "../../proto/service.ts";
import { CallError } from "../../rpc/client/client.ts";
import { startServer } from "../support/programs.ts";
import {
  clientOf,
  descriptorsBackTo,
  descriptorsOf,
  finalOf,
  jobChildrenOf,
  jobProcessesOf,
  living,
  livingAtLeast,
  refusal,
  startUp,
} from "../support/server_process.ts";
import { deadline } from "../support/deadline.ts";

async function outputOf(calls: JobWorkerClient, id: string): Promise<string> {
  let text = "";
  for await (const { data } of calls.GetOutput({ id, stream: "STREAM_STDOUT" })) text += new TextDecoder().decode(data);
  return text;
}

Deno.test("teleportd refuses bad input with a code and a sentence, and continues", async () => {
  await using server = await startServer();
  await using client = await clientOf(server);
  const { calls } = client;
  const cases: readonly (readonly [string, Parameters<JobWorkerClient["Register"]>[0], string])[] = [
    ["an empty command", {}, "INVALID_ARGUMENT"],
    ["a NUL in an argument", { command: "true", args: ["a\0b"] }, "INVALID_ARGUMENT"],
    ["a NUL in the command", { command: "tr\0ue" }, "INVALID_ARGUMENT"],
    ["a relative directory", { command: "true", cwd: "tmp" }, "INVALID_ARGUMENT"],
    ["a name with =", { command: "true", env: { "A=B": "c" } }, "INVALID_ARGUMENT"],
    ["1 MiB in one argument", { command: "true", args: ["x".repeat(1_048_576)] }, "INVALID_ARGUMENT"],
    ["1 MiB of arguments", { command: "true", args: Array(16).fill("x".repeat(65_536)) }, "INVALID_ARGUMENT"],
    ["a time beyond all timers", { command: "true", timeout_ms: 2 ** 40 }, "INVALID_ARGUMENT"],
    ["a message over the limit", { command: "true", args: Array(64).fill("x".repeat(100_000)) }, "RESOURCE_EXHAUSTED"],
  ];
  for (const [what, request, status] of cases) {
    const error = await refusal(calls.Register(request));
    assert.equal(error.status, status, what);
    if (status === "INVALID_ARGUMENT") assert.match(error.message, /^([A-Z][^]*: |[^]* must )[^]*[^.]$/, what);
    assert.doesNotMatch(error.message, /\bat \w+ \(|\.ts:/, what);
    assert.equal(await client.health(), "SERVING");
  }
  const failures: readonly (readonly [Parameters<JobWorkerClient["Register"]>[0], string])[] = [
    [{ command: "no-such-program" }, "COMMAND_NOT_FOUND"],
    [{ command: "/etc/passwd" }, "NOT_EXECUTABLE"],
    [{ command: "/tmp" }, "NOT_EXECUTABLE"],
    [{ command: "true", cwd: "/no/such/directory" }, "CWD_NOT_FOUND"],
  ];
  for (const [request, code] of failures) {
    const { id } = await calls.Register(request);
    const status = await finalOf(calls, id);
    assert.equal(status.state, "STATE_FAILED");
    assert.equal(status.error_code, code);
    assert.ok(status.error.length > 0);
  }
  const missing = "01890000-0000-7000-8000-000000000000";
  for (const id of ["", "x", missing, "../../etc/passwd", "a".repeat(10_000)]) {
    const answers = [
      calls.Status({ id }),
      calls.Stop({ id }),
      calls.Signal({ id, signal: "TERM" }),
      calls.Remove({ id }),
      Array.fromAsync(calls.Start({ id })),
      Array.fromAsync(calls.StatusStream({ id })),
      Array.fromAsync(calls.GetOutput({ id })),
    ];
    for (const { status } of await Promise.all(answers.map(refusal))) assert.equal(status, "NOT_FOUND");
  }
});

Deno.test("Stop, Signal and Remove do in every state what the contract says", async () => {
  await using server = await startServer();
  await using client = await clientOf(server);
  const { calls } = client;
  const { id: initial } = await calls.Register({ command: "sleep", args: ["1000"] });
  assert.equal((await calls.Stop({ id: initial })).state, "STATE_INITIAL");
  assert.equal((await refusal(calls.Signal({ id: initial, signal: "TERM" }))).status, "FAILED_PRECONDITION");

  const running = await startUp(calls, "echo up; exec sleep 1000");
  assert.equal((await refusal(calls.Signal({ id: running, signal: "NOPE" }))).status, "INVALID_ARGUMENT");
  assert.equal((await refusal(calls.Remove({ id: running }))).status, "FAILED_PRECONDITION");
  assert.equal((await refusal(calls.Stop({ id: running, grace_ms: 2 ** 40 }))).status, "INVALID_ARGUMENT");
  const stopped = await calls.Stop({ id: running });
  assert.equal(stopped.state, "STATE_KILLED");
  assert.equal(stopped.signal, "SIGTERM");
  assert.equal(stopped.exit_code, undefined);
  assert.equal(stopped.reason, "REASON_STOPPED");
  assert.equal(stopped.stopped_by, "admin");

  assert.deepEqual(await calls.Stop({ id: running }), stopped);
  assert.equal((await refusal(calls.Signal({ id: running, signal: "TERM" }))).status, "FAILED_PRECONDITION");
  assert.deepEqual(await Array.fromAsync(calls.Start({ id: running })), [stopped]);
  assert.deepEqual(await Array.fromAsync(calls.StatusStream({ id: running })), [stopped]);
  await calls.Remove({ id: running });
  assert.equal((await refusal(calls.Status({ id: running }))).status, "NOT_FOUND");
  await calls.Remove({ id: initial });
});

Deno.test("Stop ends all processes of a job", async () => {
  await using server = await startServer();
  await using client = await clientOf(server);
  for (
    const script of [
      "sleep 1000 & sleep 1000 & echo up; wait",
      "trap '' TERM; sleep 1000 & echo up; while :; do sleep 0.01; done",
      "set -m; (setsid sleep 1000 &) ; sleep 1000 & echo up; wait",
    ]
  ) {
    const id = await startUp(client.calls, script);
    await livingAtLeast(id, 2);
    await client.calls.Stop({ id, grace_ms: 200 });
    assert.deepEqual(living(id), []);
    // There is no zombie either. A zombie has no mark.
    assert.deepEqual(await jobChildrenOf(server), []);
  }
});

Deno.test("teleportd keeps nothing of 1,000 watchers that leave, also in the middle or by a kill", async () => {
  await using server = await startServer();
  await using client = await clientOf(server);
  const { calls } = client;
  const id = await startUp(calls, "echo up; exec sleep 1000");
  const busy = await startUp(calls, "echo up; exec yes");
  // One of each first: files that are opened once and kept must not count.
  for await (const _ of calls.GetOutput({ id })) break;
  const before = descriptorsOf(server);
  const [pid = 0] = await jobProcessesOf(server);
  const host = { process: { pid } };
  const hostBefore = descriptorsOf(host);

  const others = await Promise.all(Array.from({ length: 4 }, () => clientOf(server)));
  const left: Promise<void>[] = [];
  for (const [index, other] of others.entries()) {
    for (let watcher = 0; watcher < 250; watcher++) {
      left.push((async () => {
        try {
          let messages = 0;
          const stream = watcher % 2 === 0 ? other.calls.GetOutput({ id }) : other.calls.StatusStream({ id });
          for await (const _ of stream) if (++messages === 1 && index < 2) break;
        } catch (error) {
          assert.ok(error instanceof CallError); // Its connection was cut under it.
        }
      })());
    }
  }
  await Promise.all(left.slice(0, 500));
  // A process that watches the busy job from the middle of its output, and is killed.
  const program = `
    import { connect } from ${JSON.stringify(new URL("../../rpc/client/client.ts", import.meta.url).href)};
    const read = (name) => Deno.readTextFileSync(${JSON.stringify(`${server.dir}/certs/`)} + name);
    const credentials = { ca: read("ca.crt"), cert: read("admin.crt"), key: read("admin.key") };
    const client = connect({ address: ${JSON.stringify(server.address)}, credentials });
    for await (const _ of client.calls.GetOutput({ id: ${
    JSON.stringify(busy)
  } })) Deno.stdout.writeSync(new Uint8Array(1));
  `;
  const killed = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "-A", "--ext=ts", "-"],
    cwd: new URL("../..", import.meta.url).pathname,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = killed.stdin.getWriter();
  await writer.write(new TextEncoder().encode(program));
  await writer.close();
  const reader = killed.stdout.getReader();
  await deadline(reader.read(), "output");
  killed.kill("SIGKILL");
  await deadline(killed.status, "the end of the process");
  await reader.cancel();
  await Promise.all(others.map((other) => other[Symbol.asyncDispose]()));
  await Promise.all(left);

  await calls.Stop({ id: busy });
  // The two pipes and the log of the busy job are closed too.
  await descriptorsBackTo(host, hostBefore - 3);
  await descriptorsBackTo(server, before);
  assert.equal((await calls.Status({ id })).state, "STATE_RUNNING");
});

for (const host of ["127.0.0.1", "localhost", "[::1]"]) {
  Deno.test(`teleportd on ${host} is reachable by that address`, async () => {
    const listen = host === "localhost" ? "127.0.0.1" : host;
    await using server = await startServer({ listen: `${listen}:0` });
    const port = server.address.slice(server.address.lastIndexOf(":") + 1);
    await using client = await clientOf(server, "admin", `${host}:${port}`);
    assert.equal(await client.health(), "SERVING");
    const { id } = await client.calls.Register({ command: "echo", args: ["hello"] });
    assert.equal((await finalOf(client.calls, id)).exit_code, 0);
    assert.equal(await outputOf(client.calls, id), "hello\n");
  });
}

Deno.test("teleportd ends jobs on SIGTERM, delivers the rest of streams, and exits with 0", async () => {
  await using server = await startServer();
  await using client = await clientOf(server);
  const { calls } = client;
  const id = await startUp(calls, "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.01; done");
  const { id: initial } = await calls.Register({ command: "true" });
  const statuses = Array.fromAsync(calls.StatusStream({ id }));
  const output = outputOf(calls, id);
  const waiting = refusal(Array.fromAsync(calls.StatusStream({ id: initial })));
  await calls.Status({ id });
  server.process.kill("SIGTERM");
  const last = (await statuses).at(-1);
  assert.equal(last?.state, "STATE_EXITED");
  assert.equal(last?.exit_code, 3);
  assert.equal(last?.reason, "REASON_SHUTDOWN");
  assert.equal(await output, "up\nbye\n");
  assert.equal((await waiting).status, "UNAVAILABLE");
  assert.equal((await deadline(server.process.status, "the end of the process")).code, 0);
  assert.deepEqual(living(id), []);
});

Deno.test("teleportd refuses new work during its shutdown, and a second signal hurries", async () => {
  // The grace period is longer than the deadline below.
  await using server = await startServer({ args: ["--shutdown-grace", "1h"] });
  await using client = await clientOf(server);
  const { calls } = client;
  const id = await startUp(calls, "trap 'echo no' TERM; echo up; while :; do sleep 0.01; done");
  const output = calls.GetOutput({ id })[Symbol.asyncIterator]();
  await output.next();
  server.process.kill("SIGTERM");
  // The job has received SIGTERM: the shutdown is under way.
  await output.next();
  assert.equal(await client.health(), "NOT_SERVING");
  assert.equal((await refusal(calls.Register({ command: "true" }))).status, "UNAVAILABLE");
  // Another signal, because a repetition of the same one would count as one.
  server.process.kill("SIGINT");
  assert.equal((await deadline(server.process.status, "the end of the process")).code, 0);
  assert.deepEqual(living(id), []);
  await output.return?.();
});
