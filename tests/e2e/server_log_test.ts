/** The log of the server as a process: its levels, its forms, and what it never contains. */
import assert from "node:assert/strict";
import { clientOf, finalOf } from "../support/server_process.ts";
import { spawnServer, startServer, teleportd } from "../support/programs.ts";
import { deadline } from "../support/deadline.ts";
import { readText } from "../support/growing_text.ts";
import { tempDir } from "../support/temp_dir.ts";

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Starts a server, stops it once it listens, and returns its log with the times. */
async function rawLogOf(...args: string[]): Promise<string> {
  await using dir = await tempDir();
  const { process } = spawnServer({ dir: dir.path, args });
  const { growing: log, ended } = readText(process.stderr);
  await log.when(() => /listening on .*\n/.test(log.text), "the line of a server that listens");
  process.kill("SIGTERM");
  assert.equal((await deadline(process.status, "the end of the server")).code, 0);
  await ended;
  return log.text;
}

/** Runs a job on a server, stops the server and returns its log without the times. */
async function logOfJob(...args: string[]): Promise<string> {
  await using server = await startServer({ args });
  {
    await using client = await clientOf(server);
    const { id } = await client.calls.Register({ command: "true", env: { PASSWORD: "hunter2" }, args: ["s3cret"] });
    assert.equal((await finalOf(client.calls, id)).exit_code, 0);
  }
  assert.equal(await server.stop(), 0);
  return server.log();
}

Deno.test("teleportd writes time, level and message of each event, and the bare line that programs wait for", async () => {
  const lines = (await rawLogOf()).trimEnd().split("\n");
  const bare = lines.filter((line) => !/^\S+Z (error|warn|info|debug) \S/.test(line));
  assert.equal(bare.length, 1, lines.join("\n"));
  assert.match(bare[0]!, /^listening on 127\.0\.0\.1:\d+$/);
  assert.match(lines.at(-1)!, /^\S+Z info Stopping: /);
});

Deno.test("teleportd --log-level error still announces that it listens, and nothing else", async () => {
  assert.match(await logOfJob("--log-level", "error"), /^listening on 127\.0\.0\.1:\d+\n$/);
});

Deno.test("teleportd --log-level debug logs calls, without arguments and variables", async () => {
  const log = await logOfJob("--log-level", "debug");
  assert.match(log, /^debug Call \/teleport\.v1\.JobWorker\/Register ended with OK after \d+ ms$/m);
  assert.doesNotMatch(log, /hunter2|s3cret|PRIVATE KEY/);
});

Deno.test("teleportd --log-format json writes each event as an object on one line", async () => {
  const entries = (await rawLogOf("--log-format", "json")).trimEnd().split("\n").map((line) => JSON.parse(line));
  for (const { level, time, message } of entries) {
    assert.match(level, /^(error|warn|info)$/);
    assert.match(time, TIME);
    assert.equal(typeof message, "string");
  }
  const listening = entries.find(({ message }) => message.startsWith("listening on "));
  assert.match(listening.address, /^127\.0\.0\.1:\d+$/);
  assert.equal(listening.message, `listening on ${listening.address}`);
});

Deno.test("teleportd reports a start error in the form of its log, and a usage error as plain text", async () => {
  const started = await teleportd("--certs", "/no/such/directory", "--data", "/no/such/data", "--log-format", "json");
  assert.equal(started.code, 1);
  const { level, message } = JSON.parse(started.stderr);
  assert.equal(level, "error");
  assert.match(message, /not found: make certificates with certs init/);
  const usage = await teleportd("--log-level", "loud");
  assert.equal(usage.code, 2);
  assert.match(
    usage.stderr,
    /^teleportd: option '--log-level <level>' argument 'loud' is invalid\. Allowed choices are/,
  );
});
