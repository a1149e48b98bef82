/** A session on a terminal continues while its server is killed and another one takes its place. */
import assert from "node:assert/strict";
import type { JobWorkerClient } from "../../proto/service.ts";
import { deadline } from "../support/deadline.ts";
import { GrowingText } from "../support/growing_text.ts";
import { needing } from "../support/needs.ts";
import { endHosts, type Server, type ServerOptions, startServer, teleport } from "../support/programs.ts";
import { clientOf } from "../support/server_process.ts";
import { tempDir } from "../support/temp_dir.ts";

const encoder = new TextEncoder();

async function makePlace() {
  const dir = await tempDir();
  return {
    start: (options: ServerOptions = {}) =>
      startServer({ dir: dir.path, stopJobs: false, args: ["--cgroup=off"], ...options }),
    async [Symbol.asyncDispose]() {
      await endHosts(dir.path);
      await dir[Symbol.asyncDispose]();
    },
  };
}

/** Presses keys. */
async function type(calls: JobWorkerClient, id: string, keys: string): Promise<void> {
  await calls.Input((async function* () {
    yield await Promise.resolve({ id, data: encoder.encode(keys) });
  })());
}

/** Follows a screen from its first byte. `ended` resolves at the end of the job, or of the server. */
function screenOf(calls: JobWorkerClient, id: string): { screen: GrowingText; ended: Promise<void> } {
  const screen = new GrowingText();
  const follow = async () => {
    for await (const { data } of calls.GetOutput({ id })) screen.append(new TextDecoder().decode(data));
  };
  return { screen, ended: follow().catch(() => {}) };
}

async function registerShell(calls: JobWorkerClient): Promise<string> {
  const { id } = await calls.Register({
    command: "bash",
    args: ["--norc", "--noprofile", "-i"],
    env: { PS1: "ready> ", HISTFILE: "" },
    terminal: { columns: 80, rows: 24 },
  });
  for await (const { state } of calls.Start({ id })) if (state === "STATE_RUNNING") break;
  return id;
}

async function kill(server: Server): Promise<void> {
  server.process.kill("SIGKILL");
  await deadline(server.process.status, "the end of the server");
}

Deno.test("a shell on a terminal keeps its variables, its jobs and its screen when the server is killed", async () => {
  await using place = await makePlace();
  const first = await place.start();
  const before = await clientOf(first);
  const id = await registerShell(before.calls);
  const old = screenOf(before.calls, id);
  await old.screen.until("ready> ");
  await type(before.calls, id, "kept=$((6*7)); sleep 1000 &\n");
  await old.screen.until(/ready> [^]*ready> /);
  await kill(first);
  await deadline(old.ended, "the end of the output of the killed server");
  before.close();

  await using next = await place.start();
  await using after = await clientOf(next);
  const { screen, ended } = screenOf(after.calls, id);
  await after.calls.Resize({ id, size: { columns: 132, rows: 43 } });
  await type(after.calls, id, "stty size; echo kept=$kept; jobs\n");
  await screen.until("43 132\r\nkept=42\r\n");
  await screen.until("Running");
  await type(after.calls, id, "exit 5\n");
  await deadline(ended, "the end of the session");
  const status = await after.calls.Status({ id });
  assert.deepEqual([status.state, status.exit_code, status.terminal], ["STATE_EXITED", 5, true]);
  const logs = await teleport(next, "logs", id);
  assert.equal(logs.stdout, screen.text);
  assert.equal(status.stderr_bytes, 0);
});

Deno.test(needing(["root", "nobody", "setpriv"], "a terminal works isolated and as another user"), async () => {
  await using place = await makePlace();
  await using server = await place.start();
  await using client = await clientOf(server);
  const { calls } = client;
  const script = 'test -t 0 && echo "terminal for $(id -un)"; echo direct >/dev/tty; stty size';
  for (const isolation of ["ISOLATION_UNSPECIFIED", "ISOLATION_PRIVATE", "ISOLATION_STRICT"] as const) {
    const job = { command: "sh", args: ["-c", script], terminal: { columns: 70, rows: 20 }, user: "nobody", isolation };
    const { id } = await calls.Register(job);
    let last = "";
    for await (const { state, error } of calls.Start({ id })) last = `${state} ${error}`;
    const { screen, ended } = screenOf(calls, id);
    await deadline(ended, "the output");
    assert.equal(last, "STATE_EXITED ", isolation);
    assert.equal(screen.text, "terminal for nobody\r\ndirect\r\n20 70\r\n", isolation);
  }
});
