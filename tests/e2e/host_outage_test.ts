/** A job host that does not answer is an outage for every command, and the commands say what may still happen. */
import assert from "node:assert/strict";
import { findInstances } from "../../teleportd/host/instance_directory.ts";
import { deadline } from "../support/deadline.ts";
import { type Server, startServer, teleport, teleportOk } from "../support/programs.ts";
import { clientOf } from "../support/server_process.ts";
import { runHere } from "./in_process.ts";

/** A script that ends with 3 when its gate gets a line. */
const QUIET = 'read go <"$0"; echo "$go"; exit 3';

/** The commands that wait, on job ID or on a job of their own, and how they end after the outage. */
const WAITING: readonly { readonly args: readonly string[]; readonly stdout: RegExp; readonly code: number }[] = [
  { args: ["wait", "ID"], stdout: /^$/, code: 3 },
  { args: ["watch", "ID"], stdout: /^RUNNING.*\nEXITED 3\n$/, code: 0 },
  { args: ["watch", "ID", "ID"], stdout: /^\S+ RUNNING.*\n\S+ EXITED 3\n$/, code: 0 },
  { args: ["logs", "-f", "ID"], stdout: /^now\n$/, code: 0 },
  { args: ["attach", "--no-stdin", "--tail", "5", "ID"], stdout: /^now\n$/, code: 3 },
  { args: ["stop", "STOPPED"], stdout: /^\S+ KILLED.*\n$/, code: 0 },
  { args: ["input", "READING"], stdout: /^$/, code: 0 },
  { args: ["run", "--", "sh", "-c", "exit 3"], stdout: /^$/, code: 3 },
];

/** Registers and starts the jobs of the commands. Returns each command with their ids, and opens the gate. */
async function startJobs(server: Server) {
  const gate = `${server.dir}/gate`;
  assert.ok((await new Deno.Command("mkfifo", { args: [gate] }).output()).success);
  const run = (...args: string[]) => teleportOk(server, "run", "-d", ...args);
  const ids: Record<string, string> = {
    ID: await run("--", "sh", "-c", QUIET, gate),
    STOPPED: await run("--", "sleep", "1000"),
    READING: await run("-i", "--", "cat"),
  };
  return {
    ids,
    /** Returns the command line of a command that bridges an outage of this duration. */
    argsFor: (retryFor: string, [command = "", ...args]: readonly string[]) => [
      command,
      "--retry-for",
      retryFor,
      ...args.map((arg) => ids[arg] ?? arg),
    ],
    open: () => Deno.writeTextFile(gate, "now\n"),
  };
}

/** A job host that a test stops. It continues at the latest when the test ends, so that the server can end it. */
async function stoppedHost({ dir }: Server): Promise<Disposable & { continue(): void }> {
  const [host] = (await findInstances(`${dir}/data`)).filter(({ isAlive }) => isAlive);
  const { pid } = host!.info!;
  Deno.kill(pid, "SIGSTOP");
  return { continue: () => Deno.kill(pid, "SIGCONT"), [Symbol.dispose]: () => Deno.kill(pid, "SIGCONT") };
}

Deno.test("run says that a job may still start whose job host hangs, and the job starts when the host continues", async () => {
  await using server = await startServer({ args: ["--cgroup=off"] });
  using host = await stoppedHost(server);
  const { code, stderr } = await teleport(server, "run", "--retry-for", "0s", "--", "sh", "-c", "exit 5");
  assert.equal(code, 255);
  const [, id] = /Job "(\S+)" was not seen to start and may still start: "teleport status/.exec(stderr) ?? [];
  assert.ok(id, stderr);
  assert.match(stderr, /Cannot reach the job host: process \d+ does not answer/);
  host.continue();
  assert.equal((await teleport(server, "wait", id)).code, 5);
});

/** The note about a job host that hangs. A command prints it once in an outage. */
const NOTE = /Cannot reach the job host: process \d+ .*does not answer: trying again for /g;

Deno.test("every command that waits bridges a job host that hangs, with one note", async () => {
  await using server = await startServer({ args: ["--cgroup=off"] });
  await using client = await clientOf(server);
  const { ids, argsFor, open } = await startJobs(server);
  // These wait before the job host hangs, the others begin while it hangs.
  const early = WAITING.slice(0, 4).map((expected) => ({
    ...expected,
    command: runHere(server, ...argsFor("10m", expected.args)),
  }));
  const calls = ["WatchJobs", "StatusStream", "WatchJobs", "GetOutput"] as const;
  await deadline(Promise.all(early.map(({ command }, at) => command.answered(calls[at]!))));
  using host = await stoppedHost(server);
  await client.calls.Status({ id: ids.ID! });
  const late = WAITING.map((expected) => ({ ...expected, command: runHere(server, ...argsFor("10m", expected.args)) }));
  for (const { command } of late) command.stdin.send("text", null);
  const all = [...early, ...late];
  await deadline(Promise.all(all.map(({ command }) => command.noted(/trying again/))), "the notes of the outage");
  host.continue();
  await open();
  for (const { command, args, stdout, code } of all) {
    const ended = await deadline(command.ended, args.join(" "));
    const what = `${args.join(" ")}: ${ended.stdout}${ended.stderr}`;
    assert.deepEqual([ended.code, stdout.test(ended.stdout)], [code, true], what);
    // On a slow machine the job host may fall silent once more.
    const [notes, ends] = [NOTE, /The job host answers again/g].map((text) => ended.stderr.match(text)?.length ?? 0);
    assert.ok(notes! >= 1 && notes! <= 1 + ends!, what);
    assert.doesNotMatch(ended.stderr, /server is back/, what);
  }
});

Deno.test("every command that waits ends with 255 and the reason when a job host hangs for too long", async () => {
  await using server = await startServer({ args: ["--cgroup=off"] });
  const { argsFor } = await startJobs(server);
  using _host = await stoppedHost(server);
  const commands = WAITING.map(({ args }) => {
    const command = runHere(server, ...argsFor("500ms", args));
    command.stdin.send("text", null);
    return { name: args.join(" "), command };
  });
  for (const { name, command } of commands) {
    const { code, stderr } = await deadline(command.ended, name);
    assert.equal(code, 255, `${name}: ${stderr}`);
    assert.equal(stderr.match(NOTE)?.length, 1, `${name}: ${stderr}`);
    assert.match(
      stderr,
      /teleport: Cannot reach the job host: process \d+ .*does not answer; try again later\n$/,
      name,
    );
  }
});
