/** Commands that follow something quiet survive cuts and restarts, whatever the moment. */
import assert from "node:assert/strict";
import { deadline } from "../support/deadline.ts";
import { type Counted, runHere } from "./in_process.ts";
import { Proxy } from "./proxy.ts";
import { killWithHosts, type Server, startServer } from "../support/programs.ts";
import { clientOf } from "../support/server_process.ts";

/** A script that writes nothing until its gate gets a line. */
const QUIET = 'read go <"$0"; echo "$go"; exit 3';

/** The commands, what they show of the quiet job in the end, and how they exit. */
const FOLLOWERS: readonly { call: Counted; args: readonly string[]; stdout: RegExp; code: number }[] = [
  { call: "GetOutput", args: ["logs", "-f", "ID"], stdout: /^now\n$/, code: 0 },
  { call: "GetOutput", args: ["logs", "-f", "-n", "5", "ID"], stdout: /^now\n$/, code: 0 },
  { call: "GetOutput", args: ["logs", "-f", "--tail-bytes", "9", "ID"], stdout: /^now\n$/, code: 0 },
  { call: "GetOutput", args: ["logs", "-f", "--since", "1h", "ID"], stdout: /^now\n$/, code: 0 },
  { call: "GetOutput", args: ["logs", "-f", "--stdout", "ID"], stdout: /^now\n$/, code: 0 },
  { call: "StatusStream", args: ["watch", "ID"], stdout: /^RUNNING.*\nEXITED 3\n$/, code: 0 },
  { call: "WatchJobs", args: ["watch", "ID", "ID"], stdout: /^\S+ RUNNING.*\n\S+ EXITED 3\n$/, code: 0 },
  { call: "WatchJobs", args: ["wait", "ID"], stdout: /^$/, code: 3 },
  { call: "GetOutput", args: ["run", "sh", "-c", QUIET, "GATE"], stdout: /^now\n$/, code: 3 },
];

async function fifo(path: string): Promise<string> {
  assert.ok((await new Deno.Command("mkfifo", { args: [path] }).output()).success);
  return path;
}

/** Runs all commands at once, each through a proxy of its own, and ends their jobs when `cut` has done its work. */
async function followThroughCuts(
  cut: (proxy: Proxy, answered: (times: number) => Promise<void>, end: () => Promise<void>) => Promise<void>,
  { beforeFirstAnswer }: { readonly beforeFirstAnswer: boolean },
): Promise<void> {
  await using server = await startServer();
  await using client = await clientOf(server);
  await Promise.all(FOLLOWERS.map(async ({ call, args, stdout, code }, index) => {
    const gate = await fifo(`${server.dir}/gate${index}`);
    let id = "";
    if (args.includes("ID")) {
      ({ id } = await client.calls.Register({ command: "sh", args: ["-c", QUIET, gate] }));
      for await (const { state } of client.calls.Start({ id })) if (state === "STATE_RUNNING") break;
    }
    await using proxy = new Proxy(server.address);
    const way = {
      address: proxy.address,
      dir: server.dir,
      onConnected: () => {
        let isCut = false;
        if (beforeFirstAnswer) proxy.isToCut = () => Promise.resolve(!isCut && (isCut = true));
      },
    };
    const typed = args.map((arg) => arg === "ID" ? id : arg === "GATE" ? gate : arg);
    const command = runHere(way, ...typed);
    const answered = (times: number) => deadline(command.answered(call, times));
    await answered(1);
    await cut(proxy, answered, () => Deno.writeTextFile(gate, "now\n"));
    const ended = await deadline(command.ended);
    assert.deepEqual([ended.code, stdout.test(ended.stdout)], [code, true], `${typed.join(" ")}: ${ended.stderr}`);
  }));
}

Deno.test("followers of a quiet job continue when the connection breaks before their first answer", () =>
  followThroughCuts((_proxy, _answered, end) => end(), { beforeFirstAnswer: true }));

Deno.test("followers of a quiet job continue when the connection breaks twice while nothing comes", () =>
  followThroughCuts(async (proxy, answered, end) => {
    for (const times of [2, 3]) {
      proxy.cut();
      await answered(times);
    }
    await end();
  }, { beforeFirstAnswer: false }));

Deno.test("followers of a quiet job continue when the connection breaks at its end", () =>
  followThroughCuts(async (proxy, _answered, end) => {
    let isCut = false;
    proxy.isToCut = () => Promise.resolve(!isCut && (isCut = true));
    await end();
  }, { beforeFirstAnswer: false }));

/** Kills the server, and starts another in its place. */
async function restart(server: Server, kill = killServer): Promise<Server> {
  await kill(server);
  return await startServer({ dir: server.dir, listen: server.address });
}

Deno.test("followers of a job without output continue when the server is killed and started again", async () => {
  await using server = await startServer();
  await using client = await clientOf(server);
  const { id } = await client.calls.Register({ command: "sh", args: ["-c", "echo now; exit 3"] });
  const followers = FOLLOWERS.filter(({ args }) => args.includes("ID")).map((follower) => ({
    command: runHere(server, ...follower.args.map((arg) => arg === "ID" ? id : arg)),
    ...follower,
  }));
  const answered = (times: number) =>
    deadline(Promise.all(followers.map(({ command, call }) => command.answered(call, times))));
  await answered(1);
  // Twice: a cursor from the first restart must be valid after the second.
  let restarted = await restart(server);
  await answered(2);
  restarted = await restart(restarted);
  await using _ = restarted;
  await answered(3);
  await using later = await clientOf(restarted);
  for await (const _ of later.calls.Start({ id }));
  for (const { command, args, stdout, code } of followers) {
    const ended = await deadline(command.ended);
    const shown = ended.stdout.replace(/^.*INITIAL\n(.*STARTING\n)?/m, "");
    assert.deepEqual([ended.code, stdout.test(shown)], [code, true], `${args.join(" ")}: ${JSON.stringify(ended)}`);
  }
});

async function killServer(server: Server): Promise<void> {
  server.process.kill("SIGKILL");
  await deadline(server.process.status, "the end of the process");
}

Deno.test("followers of a running quiet job learn that it is LOST when server and job host were killed", async () => {
  await using server = await startServer();
  await using client = await clientOf(server);
  const { id } = await client.calls.Register({ command: "sleep", args: ["1000"] });
  for await (const { state } of client.calls.Start({ id })) if (state === "STATE_RUNNING") break;
  const commands = ([
    ["GetOutput", "logs", "-f", id],
    ["GetOutput", "logs", "-f", "-n", "1", id],
    ["StatusStream", "watch", id],
    ["WatchJobs", "wait", id],
    ["GetOutput", "run", "sleep", "1000"],
  ] as const).map(([call, ...args]) => ({ call, command: runHere(server, ...args) }));
  await deadline(Promise.all(commands.map(({ call, command }) => command.answered(call))));
  await using _ = await restart(server, killWithHosts);
  const ends = await deadline(Promise.all(commands.map(({ command }) => command.ended)));
  assert.deepEqual(ends.map(({ code }) => code), [0, 0, 0, 1, 1], JSON.stringify(ends));
  assert.match(ends[2]!.stdout, /^RUNNING.*\nLOST: /);
  assert.match(ends[4]!.stderr, /The server is back\n.*died while the job was running/);
});

Deno.test("teleport input and run -i continue when a quiet connection breaks, with every byte once", async () => {
  await using server = await startServer();
  await using client = await clientOf(server);
  const { id } = await client.calls.Register({ command: "cat", input: true });
  for await (const { state } of client.calls.Start({ id })) if (state === "STATE_RUNNING") break;
  await using proxy = new Proxy(server.address);
  const way = { address: proxy.address, dir: server.dir };
  const input = runHere(way, "input", id);
  const run = runHere(way, "run", "-i", "cat");
  await deadline(Promise.all([input.answered("Status"), run.answered("GetOutput")]));
  for (const times of [1, 2]) {
    proxy.cut();
    // An input that was cut asks how much of it has arrived; "input" did so at its beginning too.
    await deadline(Promise.all([input.answered("Status", 1 + times), run.answered("GetOutput", 1 + times)]));
    for (const { stdin } of [input, run]) stdin.send(`${times}\n`);
  }
  for (const { stdin } of [input, run]) stdin.send(null);
  assert.equal((await deadline(input.ended)).code, 0);
  const { code, stdout } = await deadline(run.ended);
  assert.deepEqual([code, stdout], [0, "1\n2\n"]);
  const { stdout: copied } = await deadline(runHere(server, "logs", "-f", id).ended);
  assert.equal(copied, "1\n2\n");
});
