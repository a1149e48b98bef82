/** Jobs outlive their server: they continue in their job host, and the next server continues with them. */
import * as grpc from "@grpc/grpc-js";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { healthMethods } from "../../rpc/shared/health_definition.ts";
import { findInstances } from "../../teleportd/host/instance_directory.ts";
import { deadline, eventually } from "../support/deadline.ts";
import { readText } from "../support/growing_text.ts";
import {
  endHosts,
  readRest,
  readUntil,
  type Server,
  type ServerOptions,
  spawnServer,
  spawnTeleport,
  startServer,
  teleport,
  teleportd,
  teleportOk,
} from "../support/programs.ts";
import { clientOf, living, refusal } from "../support/server_process.ts";
import { tempDir } from "../support/temp_dir.ts";

/** Writes a number each time its gate has a line, and ends with the last one. */
const COUNTING = 'i=0; while [ $i -lt 5 ] && read go; do i=$((i+1)); echo "number $i"; done <"$0"; exit 3';

/** How long it may take to learn that a job host hangs. 10 seconds are promised; a busy test machine gets three times that. */
const HANG_MS = 30_000;

/** A directory whose job hosts are ended with it. */
async function makePlace() {
  const dir = await tempDir();
  return {
    path: dir.path,
    data: `${dir.path}/data`,
    start: (options: ServerOptions = {}) =>
      startServer({ dir: dir.path, stopJobs: false, args: ["--cgroup=off"], ...options }),
    async [Symbol.asyncDispose]() {
      await endHosts(dir.path);
      await dir[Symbol.asyncDispose]();
    },
  };
}

async function fifo(path: string): Promise<Deno.FsFile> {
  assert.ok((await new Deno.Command("mkfifo", { args: [path] }).output()).success);
  // Open for reading too: the job may open it later, and the end of a server must not end the input.
  return await Deno.open(path, { read: true, write: true });
}

const line = new TextEncoder().encode("go\n");

async function states(data: string): Promise<[string, number][]> {
  const { code, stdout } = await teleportd("host", "ls", "--data", data, "--output", "json");
  assert.equal(code, 0);
  const hosts = stdout.split("\n").filter((text) => text !== "").map((text) => JSON.parse(text));
  return hosts.map(({ state, running_jobs }) => [state, running_jobs]);
}

/** Returns the process of the only job host. */
async function hostOf(data: string): Promise<number> {
  const hosts = (await findInstances(data)).filter(({ isAlive }) => isAlive);
  assert.equal(hosts.length, 1);
  return hosts[0]!.info!.pid;
}

async function jsonStatus(server: Server, id: string): Promise<Record<string, unknown>> {
  return JSON.parse(await teleportOk(server, "--output", "json", "status", id));
}

Deno.test("SIGTERM ends the server and not its jobs, and a follower sees every number from the next server", async () => {
  await using place = await makePlace();
  const first = await place.start();
  using gate = await fifo(`${place.path}/gate`);
  const id = await teleportOk(first, "run", "-d", "--", "sh", "-c", COUNTING, `${place.path}/gate`);
  const follower = spawnTeleport(first, "logs", "-f", id);
  const followed = follower.stdout.getReader();
  const noted = new Response(follower.stderr).text();
  await gate.write(line);
  assert.equal(await readUntil(followed, "\n"), "number 1\n");
  // stop() also reads the log to its end, so the job host does not keep the server's standard error open.
  assert.equal(await first.stop(), 0);
  assert.match(
    first.log(),
    /^info Stopping: no new work is taken, and 1 job continues; stop them with teleportd host /m,
  );
  assert.notDeepEqual(living(id), []);
  await gate.write(line);
  assert.deepEqual(await states(place.data), [["alone", 1]]);

  await using next = await place.start({ listen: first.address });
  assert.deepEqual(await states(place.data), [["attached", 1]]);
  for (let count = 0; count < 3; count++) await gate.write(line);
  assert.equal(await readRest(followed), "number 2\nnumber 3\nnumber 4\nnumber 5\n");
  assert.match(await noted, /The server is back/);
  assert.equal((await deadline(follower.status)).code, 0);
  assert.equal((await teleport(next, "wait", id)).code, 3);
});

Deno.test("a server with other options for its jobs starts another job host, and the older one ends with its last job", async () => {
  await using place = await makePlace();
  const first = await place.start();
  const id = await teleportOk(first, "run", "-d", "--", "sleep", "1000");
  assert.equal(await first.stop(), 0);
  await using next = await place.start({ args: ["--cgroup=off", "--allow-new-privileges"] });
  assert.deepEqual((await states(place.data)).sort(), [["attached", 0], ["retired", 1]]);
  assert.equal(await teleportOk(next, "run", "--", "echo", "new"), "new");
  assert.equal((await jsonStatus(next, id)).state, "RUNNING");
  await teleportOk(next, "stop", id);
  await eventually(async () => (await states(place.data)).length === 1, "the end of the older job host");
  assert.deepEqual(await states(place.data), [["attached", 0]]);
});

Deno.test("a server without job hosts does not start while a job host of an earlier server runs jobs", async () => {
  await using place = await makePlace();
  const first = await place.start();
  const id = await teleportOk(first, "run", "-d", "--", "sleep", "1000");
  assert.equal(await first.stop(), 0);
  const { process } = spawnServer({ dir: place.path, jobHost: "none", args: ["--cgroup=off"] });
  const log = readText(process.stderr);
  assert.equal((await deadline(process.status, "the refusal")).code, 1);
  await log.ended;
  assert.match(
    log.growing.text,
    / error Cannot use --job-host none: .*; stop it and its jobs with teleportd host /,
  );
  assert.equal(living(id).length, 1);
  assert.equal((await teleportd("host", "stop", "--data", place.data)).code, 0);
  await using next = await place.start({ jobHost: "none" });
  assert.match(await teleportOk(next, "status", id), /LOST|shut down/);
});

Deno.test("host stop ends jobs in order, with a server and without", async () => {
  await using place = await makePlace();
  const script = "trap 'echo bye; exit 4' TERM; echo up; while :; do sleep 0.01; done";
  const first = await place.start();
  const one = await teleportOk(first, "run", "-d", "--", "sh", "-c", script);
  await eventually(async () => await teleportOk(first, "logs", one) === "up", "the output of the job");
  const stopped = await teleportd("host", "stop", "--data", place.data);
  assert.equal(stopped.code, 0);
  assert.match(stopped.stderr, /^Stopping the job host "\w+", process \d+, jobs running: 1\n$/);
  const { state, exit_code, reason } = await jsonStatus(first, one);
  assert.deepEqual([state, exit_code, reason], ["EXITED", 4, "SHUTDOWN"]);

  // The next job gets another job host.
  const two = await teleportOk(
    first,
    "run",
    "-d",
    "--",
    "sh",
    "-c",
    `trap '' TERM; ${script.slice(script.indexOf("echo up"))}`,
  );
  await eventually(async () => await teleportOk(first, "logs", two) === "up", "the output of the job");
  assert.equal(await first.stop(), 0);
  assert.equal((await teleportd("host", "stop", "--data", place.data, "--grace", "100ms")).code, 0);
  assert.deepEqual(living(two), []);
  await using next = await place.start();
  const ended = await jsonStatus(next, two);
  assert.deepEqual([ended.state, ended.reason], ["KILLED", "SHUTDOWN"]);
  assert.equal(await teleportOk(next, "logs", two), "up");
});

Deno.test("a job host that hangs makes calls fail with UNAVAILABLE and health NOT_SERVING, until it answers again", async () => {
  await using place = await makePlace();
  await using server = await place.start();
  await using client = await clientOf(server);
  const id = await teleportOk(server, "run", "-d", "--", "sleep", "1000");
  const pid = await hostOf(place.data);
  assert.equal(await client.health(), "SERVING");
  Deno.kill(pid, "SIGSTOP");
  const refused = deadline(refusal(client.calls.Signal({ id, signal: "SIGTERM" })), "the refusal", HANG_MS);
  assert.equal((await refused).status, "UNAVAILABLE");
  assert.equal(await client.health(), "NOT_SERVING");
  assert.match(
    await server.says(/does not answer/),
    new RegExp(`^error The job host "\\w+", process ${pid} of version`),
  );
  Deno.kill(pid, "SIGCONT");
  await server.says(/^info The job host .* answers again$/);
  assert.equal(await client.health(), "SERVING");
  assert.equal((await teleport(server, "stop", id)).code, 0);
});

Deno.test("checks of the health alone find out that a job host hangs", async () => {
  await using place = await makePlace();
  await using server = await place.start();
  await using client = await clientOf(server);
  const pid = await hostOf(place.data);
  assert.equal(await client.health(), "SERVING");
  Deno.kill(pid, "SIGSTOP");
  await eventually(async () => await client.health() === "NOT_SERVING", "NOT_SERVING", HANG_MS);
  await server.says(new RegExp(`process ${pid} of version .* does not answer`));
  Deno.kill(pid, "SIGCONT");
  await eventually(async () => await client.health() === "SERVING", "SERVING");
});

Deno.test("a watch of the health alone finds out that a job host hangs", async () => {
  await using place = await makePlace();
  await using server = await place.start();
  const pid = await hostOf(place.data);
  const read = (name: string) => Buffer.from(Deno.readFileSync(`${server.dir}/certs/${name}`));
  const credentials = grpc.credentials.createSsl(read("ca.crt"), read("admin.key"), read("admin.crt"));
  const client = new grpc.Client(server.address.replace("127.0.0.1", "localhost"), credentials);
  const { Watch } = healthMethods();
  const watch = client.makeServerStreamRequest(Watch.path, Watch.requestSerialize, Watch.responseDeserialize, {
    service: "",
  });
  watch.on("error", () => {}); // The cancel at the end.
  const next = () => deadline(new Promise((resolve) => watch.once("data", resolve)), "a status", HANG_MS);
  assert.deepEqual(await next(), { status: "SERVING" });
  Deno.kill(pid, "SIGSTOP");
  assert.deepEqual(await next(), { status: "NOT_SERVING" });
  Deno.kill(pid, "SIGCONT");
  assert.deepEqual(await next(), { status: "SERVING" });
  watch.cancel();
  client.close();
});

Deno.test("a server waits for the job host that a service manager starts, and leaves it at its end", async () => {
  await using place = await makePlace();
  const { process } = spawnServer({ dir: place.path, jobHost: "external", stopJobs: false });
  const { growing: log, ended } = readText(process.stderr);
  await log.until(/ info Waiting for a job host: /);
  const host = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "server.ts", "host", "run", "--stay", "--cgroup=off", "--data", place.data],
    cwd: new URL("../../", import.meta.url).pathname,
    stdout: "null",
    stderr: "null",
  }).spawn();
  await log.until(/^listening on .*\n/m);
  const address = /^listening on (.*)$/m.exec(log.text)?.[1] ?? "";
  assert.equal(await teleportOk({ address, dir: place.path }, "run", "--", "echo", "hello"), "hello");
  process.kill("SIGTERM");
  assert.equal((await deadline(process.status, "the end of the server")).code, 0);
  await ended;
  assert.deepEqual(await states(place.data), [["alone", 0]]);
  assert.equal((await teleportd("host", "stop", "--data", place.data)).code, 0);
  assert.equal((await deadline(host.status, "the end of the job host")).code, 0);
});
