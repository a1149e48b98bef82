/** Jobs by name and by the beginning of an id, `rerun` and `--like`, with real programs and a job host of their own. */
import assert from "node:assert/strict";
import { onTerminal } from "./terminal.ts";
import { deadline } from "../support/deadline.ts";
import { needing } from "../support/needs.ts";
import { type Server, spawnWithInput, startServer, teleport, teleportOk } from "../support/programs.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

async function statusOf(server: Server, job: string) {
  return JSON.parse(await teleportOk(server, "status", job, "--output", "json"));
}

Deno.test("every command takes a job by its name and by the beginning of its id", async () => {
  await using server = await startServer();
  const id = await teleportOk(server, "run", "-d", "--name", "cafe", "-i", "--", "sh", "-c", "echo up; exec cat");
  const taken = await teleport(server, "run", "-d", "--name", "cafe", "true");
  assert.equal(taken.code, 1);
  assert.ok(taken.stderr.includes(id), taken.stderr);
  for (const name of ["2024", id, id.slice(0, 8), "a/b"]) {
    const { code, stderr } = await teleport(server, "register", "--name", name, "true");
    assert.equal(code, 1, stderr);
    assert.match(stderr, /1 to 64 letters, digits/);
  }
  for (const job of ["cafe", id.slice(0, 20), id.slice(0, 20).toUpperCase()]) {
    assert.equal((await statusOf(server, job)).id, id);
    assert.equal(await teleportOk(server, "logs", "--tail", "1", job), "up");
    await teleportOk(server, "pause", job);
    await teleportOk(server, "resume", job);
    await teleportOk(server, "signal", job, "CONT");
    assert.match(await teleportOk(server, "can-i", "stop", "--job", job), /^yes/);
  }
  const input = spawnWithInput(server, "input", "cafe");
  await new Response("typed\n").body!.pipeTo(input.stdin);
  assert.equal((await deadline(input.output(), "the end of input")).code, 0);
  await teleportOk(server, "wait", "cafe");
  assert.equal(await teleportOk(server, "logs", "cafe"), "up\ntyped");
  // The name is free after the end, and then means the newest job.
  const second = await teleportOk(server, "register", "--name", "cafe", "true");
  assert.equal((await statusOf(server, "cafe")).id, second);
  const unknown = await teleport(server, "stop", "nosuch");
  assert.notEqual(unknown.code, 0);
  assert.match(unknown.stderr, /Unknown job "nosuch"/);
  const ambiguous = await teleport(server, "status", "0");
  assert.notEqual(ambiguous.code, 0);
  assert.ok(ambiguous.stderr.includes(id) && ambiguous.stderr.includes(second), ambiguous.stderr);
  await teleportOk(server, "start", "cafe");
  await teleportOk(server, "rm", "cafe");
  assert.equal((await statusOf(server, "cafe")).id, id);
});

Deno.test("rerun repeats a job with its environment and its input, and --like takes only the environment", async () => {
  await using server = await startServer();
  const script = 'echo "$A in $PWD"; cat; exit 3';
  const first = await teleport(server, "run", "-e", "A=1", "--cwd", "/tmp", "-l", "a=b", "--", "sh", "-c", script);
  assert.deepEqual([first.code, first.stdout], [3, "1 in /tmp\n"]);
  const id = (await teleportOk(server, "list", "--output", "name")).trim();
  const again = await teleport(server, "rerun", id.slice(0, 30), "--name", "again");
  assert.deepEqual([again.code, again.stdout], [3, "1 in /tmp\n"]);
  const { rerun_of, rerunOf = rerun_of, labels } = await statusOf(server, "again");
  assert.deepEqual([rerunOf, labels], [id, { a: "b" }]);
  const detached = await teleportOk(server, "rerun", "-d", "again");
  assert.equal((await teleport(server, "wait", detached)).code, 3);
  assert.equal(await teleportOk(server, "logs", detached), "1 in /tmp");
  const withInput = spawnWithInput(server, "rerun", "-i", "again", "--name", "typed");
  await new Response("typed\n").body!.pipeTo(withInput.stdin);
  const { code, stdout } = await deadline(withInput.output(), "the end of rerun -i");
  assert.deepEqual([code, new TextDecoder().decode(stdout)], [3, "1 in /tmp\ntyped\n"]);
  assert.equal(await teleportOk(server, "run", "--like", "typed", "--", "sh", "-c", 'echo "$A $PWD"'), "1 /tmp");
  assert.equal(
    await teleportOk(server, "run", "--like", id, "-e", "A=2", "--cwd", "/", "--", "sh", "-c", 'echo "$A $PWD"'),
    "2 /",
  );
});

Deno.test("rerun of a job with a terminal needs a terminal", async () => {
  await using server = await startServer();
  const id = await teleportOk(server, "register", "-t", "-i", "--", "sh", "-c", "stty size; read line; echo got $line");
  const refused = await teleport(server, "rerun", id);
  assert.equal(refused.code, 2, refused.stderr);
  assert.match(refused.stderr, /The job has a terminal, and the standard input is none: add --detach/);
  assert.equal((await teleportOk(server, "list", "--output", "name")).trim(), id);
});

Deno.test({
  ...needing("pty", "rerun of a job with a terminal attaches this one, with its size"),
  fn: async () => {
    await using server = await startServer();
    const id = await teleportOk(
      server,
      "register",
      "-t",
      "-i",
      "--",
      "sh",
      "-c",
      "echo ready; read line; echo got:$line",
    );
    const argv = [Deno.execPath(), "run", "--quiet", "--no-prompt", "-P=cli", "cli.ts", "rerun", id];
    const client = onTerminal(argv, {
      cwd: ROOT,
      env: { TELEPORT_ADDRESS: server.address, TELEPORT_CERTS: `${server.dir}/certs`, TELEPORT_IDENTITY: "admin" },
    });
    await client.shown("ready");
    await client.type("typed\r");
    const { code, text } = await deadline(client.ended, "the end of rerun");
    assert.equal(code, 0, text);
    assert.match(text, /got:typed/);
  },
});
