/** A job when Ctrl-C or Ctrl-\\ is pressed at the terminal, or the terminal closes. */
import assert from "node:assert/strict";
import { deadline } from "../support/deadline.ts";
import { type Server, startServer } from "../support/programs.ts";
import { noTerminal, onTerminal } from "./terminal.ts";
import { clientOf } from "../support/server_process.ts";
import { skippedIf } from "../support/needs.ts";
import { tempDir } from "../support/temp_dir.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const onPty = (name: string) => skippedIf(noTerminal, name);

const DIRECTLY = [Deno.execPath(), "run", "-q", "-P=cli", "--no-prompt", "cli.ts"];
/** The command lines of the README without compiling. The wrapper forwards signals to its child. */
const BY_TASK = [Deno.execPath(), "task", "-q", "cli"];

function environment(server: Server): Record<string, string> {
  return { TELEPORT_ADDRESS: server.address, TELEPORT_CERTS: `${server.dir}/certs`, TERM: "dumb" };
}

/** A script that reports every SIGINT and ends on SIGTERM. */
const COUNTING = "trap 'echo got INT' INT; trap 'echo got TERM; exit 9' TERM; echo up; while :; do sleep 0.05; done";

for (const [name, command] of [["directly", DIRECTLY], ["under deno task", BY_TASK]] as const) {
  Deno.test(onPty(`one Ctrl-C at teleport run ${name} reaches the job once`), async () => {
    await using server = await startServer();
    await using client = await clientOf(server);
    const program = onTerminal([...command, "run", "--", "sh", "-c", COUNTING], {
      cwd: ROOT,
      env: environment(server),
    });
    await program.shown("up");
    await program.press("ctrl-c");
    await program.shown("got INT");
    const { jobs: [job] } = await client.calls.List({});
    // The last signal ends the job. A second SIGINT would have arrived by then.
    await new Promise((resolve) => setTimeout(resolve, 300));
    await client.calls.Signal({ id: job!.id, signal: "SIGTERM" });
    const { text } = await deadline(program.ended);
    assert.equal(text.match(/got INT/g)?.length, 1, text);
    assert.match(text, /got TERM/);
    const { signals, exit_code } = await client.calls.Status({ id: job!.id });
    assert.deepEqual([signals.map(({ signal }) => signal), exit_code], [["SIGINT", "SIGTERM"], 9]);
  });
}

for (
  const [what, signal, code] of [["Ctrl-\\\\", "SIGQUIT", 131], ["a closed terminal", "SIGHUP", 129]] as const
) {
  Deno.test(onPty(`${what} at teleport run reaches the job as ${signal}`), async () => {
    await using server = await startServer();
    await using client = await clientOf(server);
    // A shell cannot reset a signal that its starter ignores, so this job resets it itself.
    const script = "import signal, time; signal.signal(signal.SIGQUIT, signal.SIG_DFL); " +
      "signal.signal(signal.SIGHUP, signal.SIG_DFL); print('up', flush=True); time.sleep(1000)";
    const program = onTerminal([...DIRECTLY, "run", "--", "python3", "-c", script], {
      cwd: ROOT,
      env: environment(server),
    });
    await program.shown("up");
    await (signal === "SIGQUIT" ? program.press("ctrl-backslash") : program.hangUp());
    assert.equal((await deadline(program.ended)).code, code);
    const { jobs: [job] } = await client.calls.List({});
    assert.deepEqual([job?.state, job?.signal], ["STATE_KILLED", signal]);
  });
}

Deno.test("teleportd counts the same signal twice within 3 ms as one, and gives jobs their grace period", async () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    await using server = await startServer();
    await using client = await clientOf(server);
    const script = "trap 'sleep 0.5; echo cleaned; exit 5' TERM; echo up; while :; do sleep 0.05; done";
    const { id } = await client.calls.Register({ command: "sh", args: ["-c", script] });
    for await (const { state } of client.calls.Start({ id })) if (state === "STATE_RUNNING") break;
    for await (const _ of client.calls.GetOutput({ id })) break;
    server.process.kill(signal);
    // No wait of the event loop, which may take long on a busy machine.
    for (const endMs = performance.now() + 3; performance.now() < endMs;);
    server.process.kill(signal);
    const { code } = await deadline(server.process.status);
    assert.equal(code, 0);
    await using next = await startServer({ dir: server.dir, listen: "127.0.0.1:0" });
    await using later = await clientOf(next);
    const { exit_code, kill_sent_at } = await later.calls.Status({ id });
    assert.deepEqual([exit_code, kill_sent_at], [5, null], signal);
  }
});

Deno.test(onPty("one Ctrl-C at deno task serve gives jobs their grace period"), async () => {
  await using temporary = await tempDir();
  const dir = temporary.path;
  const server = onTerminal(
    [Deno.execPath(), "task", "serve", "--listen", "127.0.0.1:0", "--certs", `${dir}/certs`, "--data", `${dir}/data`],
    { cwd: ROOT, env: { TERM: "dumb" } },
  );
  await server.shown("listening on");
  await server.press("ctrl-c");
  const { text } = await deadline(server.ended);
  // A second signal would have been logged, or would have ended the program without order.
  assert.equal(text.match(/Stopping: /g)?.length, 1, text);
});
