/** What becomes of a job when the person at the terminal presses Ctrl-C or Ctrl-\\, or the terminal goes away. */
import assert from "node:assert/strict";
import { deadline } from "../support/deadline.ts";
import { type Server, startServer } from "../support/programs.ts";
import { noTerminal, onTerminal } from "./terminal.ts";
import { clientOf } from "../support/server_process.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const skipped = noTerminal === undefined ? "" : ` (skipped: ${noTerminal})`;
const options = { ignore: noTerminal !== undefined };

const DIRECTLY = [Deno.execPath(), "run", "-q", "-P=cli", "--no-prompt", "cli.ts"];
/** As the README has it without compiling; the wrapper sends signals on to its child. */
const BY_TASK = [Deno.execPath(), "task", "-q", "cli"];

function environment(server: Server): Record<string, string> {
  return { TELEPORT_ADDRESS: server.address, TELEPORT_CERTS: `${server.dir}/certs`, TERM: "dumb" };
}

/** A script that reports every SIGINT and ends on SIGTERM. */
const COUNTING = "trap 'echo got INT' INT; trap 'echo got TERM; exit 9' TERM; echo up; while :; do sleep 0.05; done";

for (const [name, command] of [["directly", DIRECTLY], ["under deno task", BY_TASK]] as const) {
  Deno.test(`one Ctrl-C at teleport run ${name} reaches the job once${skipped}`, options, async () => {
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
    // The last signal ends it: by then a second SIGINT would have been there.
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
  Deno.test(`${what} at teleport run reaches the job as ${signal}${skipped}`, options, async () => {
    await using server = await startServer();
    await using client = await clientOf(server);
    // A shell whose starter ignores the signal could not have it back; this job takes the default itself.
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

Deno.test("the same signal twice within 3 ms stops the server once, and jobs have their grace", async () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    await using server = await startServer();
    await using client = await clientOf(server);
    const script = "trap 'sleep 0.5; echo cleaned; exit 5' TERM; echo up; while :; do sleep 0.05; done";
    const { id } = await client.calls.Register({ command: "sh", args: ["-c", script] });
    for await (const { state } of client.calls.Start({ id })) if (state === "STATE_RUNNING") break;
    for await (const _ of client.calls.GetOutput({ id })) break;
    server.process.kill(signal);
    await new Promise((resolve) => setTimeout(resolve, 3));
    server.process.kill(signal);
    const { code } = await deadline(server.process.status);
    assert.equal(code, 0);
    await using next = await startServer({ dir: server.dir, listen: "127.0.0.1:0" });
    await using later = await clientOf(next);
    const { exit_code, kill_sent_at } = await later.calls.Status({ id });
    assert.deepEqual([exit_code, kill_sent_at], [5, null], signal);
  }
});

Deno.test(`one Ctrl-C at deno task serve leaves jobs their grace${skipped}`, options, async () => {
  const dir = await Deno.makeTempDir({ prefix: "teleport_e2e_" });
  const server = onTerminal(
    [Deno.execPath(), "task", "serve", "--listen", "127.0.0.1:0", "--certs", `${dir}/certs`, "--data", `${dir}/data`],
    { cwd: ROOT, env: { TERM: "dumb" } },
  );
  await server.shown("listening on");
  await server.press("ctrl-c");
  const { text } = await deadline(server.ended);
  // The second would have been told as another line, or have ended the program before it could close in order.
  assert.equal(text.match(/Stopping: /g)?.length, 1, text);
  await Deno.remove(dir, { recursive: true });
});
