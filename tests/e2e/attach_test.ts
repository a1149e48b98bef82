/** Recorded sessions on a real pseudo terminal: run -it, attach, and the terminal after every kind of end. */
import assert from "node:assert/strict";
import { deadline, eventually } from "../support/deadline.ts";
import { type Need, needing } from "../support/needs.ts";
import { endHosts, type Server, startServer, teleport as teleportOnPipes } from "../support/programs.ts";
import { clientOf } from "../support/server_process.ts";
import { tempDir } from "../support/temp_dir.ts";
import { type OnTerminal, onTerminal } from "./terminal.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const CLI = [Deno.execPath(), "run", "-q", "-P=cli", "--no-prompt", "cli.ts"];
const BASH = ["-e", "PS1=ready> ", "bash", "--norc", "--noprofile"];
const session = (name: string, ...needs: Need[]) => needing(["pty", "bash", ...needs], name);

/** Runs the command line on a terminal of its own. */
function teleport(server: Server, ...args: string[]): OnTerminal {
  const env = { TELEPORT_ADDRESS: server.address, TELEPORT_CERTS: `${server.dir}/certs`, TERM: "xterm" };
  return onTerminal([...CLI, ...args], { cwd: ROOT, env });
}

/** Returns the id of the newest job. */
async function newestJob(server: Server): Promise<string> {
  await using client = await clientOf(server);
  const { jobs: [job] } = await client.calls.List({ page_size: 1 });
  return job!.id;
}

async function leave(terminal: OnTerminal): Promise<void> {
  await terminal.press("ctrl-p");
  await terminal.press("ctrl-q");
}

/** Ends a shell and compares its exit code and the mode of the terminal. */
async function exitWith(terminal: OnTerminal, code: number): Promise<void> {
  await terminal.type(`exit ${code}\r`);
  const end = await deadline(terminal.ended);
  assert.deepEqual([end.code, end.mode], [code, "line"], end.text);
}

Deno.test(session("run -it bash has job control, the size of the window, and the exit code of the shell"), async () => {
  await using server = await startServer();
  const terminal = teleport(server, "run", "-it", ...BASH);
  await terminal.shown("or ~. after Enter");
  await terminal.shown("ready> ");
  // The words are only in the output, not in the keys. So the job is in the foreground once they are shown.
  await terminal.type(`sh -c 'trap "echo ba""ck" CONT; echo in""side; while :; do :; done'\r`);
  await terminal.shown("inside");
  await terminal.press("ctrl-z");
  await terminal.shown("Stopped");
  await terminal.type("fg\r");
  await terminal.shown("back");
  await terminal.press("ctrl-c");
  await terminal.type("echo next=$((1 + 1))\r");
  await terminal.shown("next=2");
  await terminal.resize(100, 30);
  await terminal.type("until [ \"$(stty size)\" = '30 100' ]; do sleep 0.02; done; echo wide=$((2 + 2))\r");
  await terminal.shown("wide=4");
  // A hundred changes are joined, and the smallest terminal is the last one.
  for (let columns = 100; columns >= 1; columns--) await terminal.resize(columns, 1);
  await terminal.type("until [ \"$(stty size)\" = '1 1' ]; do sleep 0.02; done; exit 7\r");
  const { code, mode } = await deadline(terminal.ended);
  assert.deepEqual([code, mode], [7, "line"]);
  // The output is recorded like any other.
  const { stdout } = await teleportOnPipes(server, "logs", await newestJob(server));
  assert.match(stdout, /Stopped/);
});

Deno.test(session("vi on run -it edits and saves a file, and the screen is normal again", "vi"), async () => {
  await using server = await startServer();
  const file = `${server.dir}/text`;
  const terminal = teleport(server, "run", "-it", "vi", "-u", "NONE", "-N", file);
  await terminal.shown("\x1b[?1049h");
  await terminal.type("ihello");
  await terminal.press("escape");
  await terminal.type(":wq\r");
  const { code, mode, text } = await deadline(terminal.ended);
  assert.deepEqual([code, mode], [0, "line"], text);
  assert.equal(await Deno.readTextFile(file), "hello\n");
  assert.ok(text.lastIndexOf("\x1b[?1049l") > text.lastIndexOf("\x1b[?1049h"), JSON.stringify(text));
});

Deno.test(session("less on run -it shows a page, and leaves with q", "less"), async () => {
  await using server = await startServer();
  const file = `${server.dir}/lines`;
  await Deno.writeTextFile(file, Array.from({ length: 500 }, (_, index) => `line ${index}\n`).join(""));
  const terminal = teleport(server, "run", "-it", "less", file);
  await terminal.shown("line 0");
  await terminal.type("G");
  await terminal.shown("line 499");
  await terminal.type("q");
  const { code, mode } = await deadline(terminal.ended);
  assert.deepEqual([code, mode], [0, "line"]);
});

Deno.test(session("a session is left by Ctrl-P Ctrl-Q and by ~., and attach comes back to it"), async () => {
  await using server = await startServer();
  const first = teleport(server, "run", "-it", ...BASH);
  await first.shown("ready> ");
  await first.type("word=kept\r");
  await leave(first);
  const left = await deadline(first.ended);
  assert.deepEqual([left.code, left.mode], [0, "line"], left.text);
  const id = await newestJob(server);
  assert.ok(left.text.includes(`"teleport attach ${id}" comes back`), left.text);
  const second = teleport(server, "attach", id);
  // Keys that were typed just before are not lost. The changed size makes the shell draw its prompt again.
  await second.shown("ready> ");
  await second.type("echo $word=$((3 + 3)) '~.'\r");
  await second.shown("kept=6 ~.");
  await second.type("~.");
  assert.equal((await deadline(second.ended)).code, 0);
  const third = teleport(server, "attach", "--detach-keys", "none", "--tail", "100", id);
  await third.shown("kept=6");
  await exitWith(third, 5);
});

Deno.test(session("run -it is raw again after it was suspended"), async () => {
  await using server = await startServer();
  const terminal = teleport(server, "run", "-it", ...BASH);
  await terminal.shown("ready> ");
  await terminal.signal("SIGSTOP");
  await terminal.signal("SIGCONT");
  await terminal.type("echo again=$((6 + 6))\r");
  await terminal.shown("again=12");
  await exitWith(terminal, 0);
});

Deno.test(
  session("a session continues when teleportd is killed and comes back, and no key is lost or doubled"),
  async () => {
    await using temporary = await tempDir();
    const dir = temporary.path;
    await using stack = new AsyncDisposableStack();
    stack.defer(() => endHosts(dir));
    const server = await startServer({ dir, stopJobs: false });
    const terminal = teleport(server, "run", "-it", ...BASH);
    await terminal.shown("ready> ");
    await terminal.type("count=1\r");
    server.process.kill("SIGKILL");
    await deadline(server.process.status);
    await terminal.shown("trying again");
    await terminal.type("count=$((count + 1)); echo count=$count\r");
    await using next = await startServer({ dir, listen: server.address, stopJobs: false });
    await terminal.shown("The server is back");
    await terminal.shown("count=2");
    await exitWith(terminal, 4);
    const { stdout } = await teleportOnPipes(next, "logs", await newestJob(next));
    assert.equal(stdout.match(/count=2/g)?.length, 1, stdout);
  },
);

Deno.test(session("attach without a terminal sends the standard input and leaves the input open"), async () => {
  await using server = await startServer();
  await using client = await clientOf(server);
  const { id } = await client.calls.Register({ command: "cat", input: true });
  for await (const { state } of client.calls.Start({ id })) if (state === "STATE_RUNNING") break;
  const terminal = teleport(server, "attach", id);
  await terminal.shown("or ~. after Enter");
  await terminal.type("hello\r");
  await terminal.shown("hello\r\nhello");
  await terminal.press("ctrl-c");
  assert.equal((await deadline(terminal.ended)).code, 130);
  const { state, input_closed } = await client.calls.Status({ id });
  assert.deepEqual([state, input_closed], ["STATE_RUNNING", false]);
});

Deno.test("run -t without a terminal on the standard input is a wrong usage", async () => {
  await using server = await startServer({ jobHost: "none" });
  const { code, stderr } = await teleportOnPipes(server, "run", "-it", "bash");
  assert.equal(code, 2);
  assert.match(stderr, /--tty needs a terminal on the standard input/);
});

Deno.test(
  session("ten terminals attach to one job: one writes, and the others get a note and can type after it has left"),
  async () => {
    await using server = await startServer({ args: ["--log-level", "debug"] });
    const refusals = () => server.log().match(/\/Input ended with FAILED_PRECONDITION/g)?.length ?? 0;
    const writer = teleport(server, "run", "-it", ...BASH);
    await writer.shown("ready> ");
    const id = await newestJob(server);
    const watchers = Array.from({ length: 9 }, () => teleport(server, "attach", id));
    for (const watcher of watchers) await watcher.shown("this one watches");
    await eventually(() => refusals() >= watchers.length, () => `${watchers.length} refusals, not ${refusals()}`);
    const before = refusals();
    await watchers[0]!.type("not-typed\r");
    // The writer must not leave before the watcher has tried its keys.
    await eventually(() => refusals() > before, "the refusal of the keys");
    const typed = "echo all=$((4 + 4))\r";
    await writer.type(typed);
    for (const terminal of [writer, ...watchers]) await terminal.shown("all=8");
    await leave(writer);
    await deadline(writer.ended);
    await using client = await clientOf(server);
    const { input_bytes } = await client.calls.Status({ id });
    assert.equal(input_bytes, typed.length);
    const [next] = watchers;
    await next!.type("echo next=$((5 + 5))\r");
    for (const watcher of watchers) await watcher.shown("next=10");
    await exitWith(next!, 3);
    for (const watcher of watchers) {
      const { code, mode } = await deadline(watcher.ended);
      assert.deepEqual([code, mode], [3, "line"]);
    }
  },
);

for (const [signal, code] of [["SIGTERM", 143], ["SIGHUP", 129], ["SIGINT", 130], ["SIGQUIT", 131]] as const) {
  Deno.test(
    session(`${signal} to run -it leaves a full-screen program running, and the terminal normal`, "vi"),
    async () => {
      await using server = await startServer();
      const terminal = teleport(server, "run", "-it", "vi", "-u", "NONE", "-N");
      await terminal.shown("\x1b[?1049h");
      await terminal.type("ihello");
      await terminal.shown("hello");
      await terminal.signal(signal);
      const end = await deadline(terminal.ended);
      assert.deepEqual([end.code, end.mode], [code, "line"], end.text);
      assert.ok(end.text.lastIndexOf("\x1b[?1049l") > end.text.lastIndexOf("\x1b[?1049h"), JSON.stringify(end.text));
      await using client = await clientOf(server);
      const id = await newestJob(server);
      assert.equal((await client.calls.Status({ id })).state, "STATE_RUNNING");
      // The next terminal shows the alternate screen, which was entered before it came.
      const next = teleport(server, "attach", id);
      await next.shown("\x1b[?1049h");
      await next.shown("hello");
      await next.press("escape");
      await next.type(":q!\r");
      assert.equal((await deadline(next.ended)).code, 0);
    },
  );
}

Deno.test(session("a terminal that closes leaves the session running"), async () => {
  await using server = await startServer();
  const terminal = teleport(server, "run", "-it", ...BASH);
  await terminal.shown("ready> ");
  await terminal.hangUp();
  assert.equal((await deadline(terminal.ended)).code, 129);
  await using client = await clientOf(server);
  assert.equal((await client.calls.Status({ id: await newestJob(server) })).state, "STATE_RUNNING");
});
