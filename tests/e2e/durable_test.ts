/** Every acknowledged job survives a kill of the server with its status and output, and no process is left. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  killWithHosts,
  readRest,
  readUntil,
  type Server,
  spawnTeleport,
  startServer,
  teleport,
  teleportOk,
} from "../support/programs.ts";
import { livingAtLeast } from "../support/server_process.ts";
import { tempDir } from "../support/temp_dir.ts";
import { deadline } from "../support/deadline.ts";

async function kill(server: Server): Promise<void> {
  server.process.kill("SIGKILL");
  await deadline(server.process.status, "the end of the process");
}

/** Gives the jobs that have a living process, found by the mark in its environment. */
function living(ids: Iterable<string>): string[] {
  const wanted = new Set(ids);
  return [...Deno.readDirSync("/proc")].flatMap(({ name }) => {
    try {
      const mark = /TELEPORT_ID=([0-9a-f-]{36})/.exec(Deno.readTextFileSync(`/proc/${name}/environ`));
      return mark?.[1] !== undefined && wanted.has(mark[1]) ? [mark[1]] : [];
    } catch {
      return [];
    }
  });
}

Deno.test("teleport logs -f and watch continue after kill -9 and a restart, with every byte once", async () => {
  await using temporary = await tempDir();
  const dir = temporary.path;
  let server = await startServer({ dir });
  const { address } = server;
  const script = "head -c 3000000 /dev/urandom; echo done >&2";
  const id = await teleportOk(server, "run", "-d", "--", "sh", "-c", script).then((text) => text.trim());
  await teleportOk(server, "wait", id);
  const follower = spawnTeleport(server, "logs", "-f", id);
  const reader = follower.stdout.getReader();
  const hash = createHash("sha256");
  // The follower has read one chunk and not the rest.
  const first = await deadline(reader.read(), "output");
  hash.update(first.value ?? new Uint8Array());
  await kill(server);
  server = await startServer({ dir, listen: address });
  for (let read = await deadline(reader.read(), "output"); !read.done; read = await deadline(reader.read(), "output")) {
    hash.update(read.value);
  }
  await new Response(follower.stderr).text();
  assert.equal((await deadline(follower.status, "the end of the process")).code, 0);
  const again = await spawnTeleport(server, "logs", "--stdout", id).output();
  assert.equal(again.stdout.length, 3_000_000);
  assert.equal(hash.digest("hex"), createHash("sha256").update(again.stdout).digest("hex"));
  await server[Symbol.asyncDispose]();
});

Deno.test("a job that ran when server and job host were killed is LOST, and its watcher reports it", async () => {
  await using temporary = await tempDir();
  const dir = temporary.path;
  let server = await startServer({ dir });
  const { address } = server;
  const script = "trap '' TERM; setsid sleep 1000 & echo up; while :; do sleep 0.01; done";
  const program = spawnTeleport(server, "run", "--", "sh", "-c", script);
  const reader = program.stdout.getReader();
  await deadline(reader.read(), "output");
  const { id } = JSON.parse(await teleportOk(server, "list", "--output", "json"));
  await livingAtLeast(id, 2);
  await killWithHosts(server);
  server = await startServer({ dir, listen: address });
  assert.deepEqual(living([id]), []);
  const told = await new Response(program.stderr).text();
  while (!(await deadline(reader.read(), "output")).done);
  assert.equal((await deadline(program.status, "the end of the process")).code, 1);
  assert.match(told, /The server is back/);
  assert.match(told, /died while the job was running/);
  assert.match((await teleport(server, "status", id)).stdout, /LOST/);
  assert.equal((await teleport(server, "logs", id)).stdout, "up\n");
  await server[Symbol.asyncDispose]();
});

Deno.test("teleportd refuses a data directory that another server has open", async () => {
  await using server = await startServer();
  const second = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "server.ts", "--listen", "127.0.0.1:0", "--certs", `${server.dir}/certs`, "--data"]
      .concat(`${server.dir}/data`),
    cwd: new URL("../..", import.meta.url).pathname,
  }).output();
  assert.equal(second.code, 1);
  const said = new TextDecoder().decode(second.stderr);
  assert.match(said, / error Cannot use the data directory ".*\/data": process (\d+) has it open; stop that server/m);
  assert.ok(said.includes(`"${server.dir}/data": process ${server.process.pid} has it open`), said);
});

Deno.test("teleport wait and watch of several jobs continue after kill -9 and a restart", async () => {
  await using temporary = await tempDir();
  const dir = temporary.path;
  let server = await startServer({ dir });
  const { address } = server;
  const long = await teleportOk(server, "run", "-d", "--label", "kind=x", "--", "sleep", "1000");
  const initial = await teleportOk(server, "register", "--", "sh", "-c", "exit 3");
  const ended = await teleportOk(server, "run", "-d", "--", "true");
  const waiting = spawnTeleport(server, "wait", ended, long, initial);
  const lines = waiting.stdout.getReader();
  // The watch is in the middle.
  assert.equal(await readUntil(lines, "\n"), `${ended} EXITED 0\n`);
  const watching = spawnTeleport(server, "watch", "--label", "kind=x", "--output", "json");
  const events = watching.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let seen = "";
  const until = async (wanted: RegExp) => {
    while (!wanted.test(seen)) {
      const { done, value } = await deadline(events.read(), "output");
      assert.ok(!done, `The watch ended before ${wanted}: ${seen}`);
      seen += value;
    }
  };
  await until(/"CURRENT"/);
  await killWithHosts(server);
  server = await startServer({ dir, listen: address });
  await until(/"kind":"CHANGED".*"state":"LOST"/);
  await teleportOk(server, "start", initial);
  assert.equal(
    await readRest(lines),
    `${long} LOST: The job host died while the job was running, so the end of the job is unknown\n${initial} EXITED 3\n`,
  );
  await waiting.stderr.cancel();
  assert.equal((await deadline(waiting.status, "the end of the process")).code, 1);
  assert.equal(seen.match(/"KNOWN"/g)?.length, 1);
  watching.kill("SIGTERM");
  await events.cancel();
  await new Response(watching.stderr).text();
  await deadline(watching.status, "the end of the process");
  assert.equal(await teleportOk(server, "rm", "--ended"), `${ended}\n${initial}\n${long}`);
  assert.equal(await teleportOk(server, "list", "-q"), "");
  await server[Symbol.asyncDispose]();
});

Deno.test("teleportd keeps the number of jobs of its flags for their time, and ends within its grace period", async () => {
  await using server = await startServer({ args: ["--keep-jobs", "2", "--shutdown-grace", "100ms"] });
  const first = await teleportOk(server, "run", "-d", "--", "true");
  await teleportOk(server, "wait", first);
  const stubborn = await teleportOk(
    server,
    "run",
    "-d",
    "--",
    "sh",
    "-c",
    "trap '' TERM; while :; do sleep 0.01; done",
  );
  await teleportOk(server, "register", "--", "true");
  assert.equal((await teleport(server, "status", first)).code, 1);
  const output = spawnTeleport(server, "watch", "--retry-for", "0s", stubborn);
  const reader = output.stdout.getReader();
  await deadline(reader.read(), "output");
  server.process.kill("SIGTERM");
  let told = "";
  for (let step = await deadline(reader.read(), "output"); !step.done; step = await deadline(reader.read(), "output")) {
    told += new TextDecoder().decode(step.value);
  }
  assert.match(told, /STOPPING\nKILLED SIGKILL \(the server shut down\)\n$/);
  assert.equal((await deadline(server.process.status, "the end of the process")).code, 0);
  await output.stderr.cancel();
  await deadline(output.status, "the end of the process");
});
