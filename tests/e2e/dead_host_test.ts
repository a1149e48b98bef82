/** `teleportd host stop` ends what a job host that was killed has left, or says who can. */
import assert from "node:assert/strict";
import { findInstances } from "../../teleportd/host/instance_directory.ts";
import { endLeftovers } from "../../teleportd/host/end_leftovers.ts";
import { deadline, eventually } from "../support/deadline.ts";
import { readText } from "../support/growing_text.ts";
import {
  endHosts,
  killWithHosts,
  type Server,
  spawnServer,
  startServer,
  teleport,
  teleportd,
  teleportOk,
} from "../support/programs.ts";
import { living, livingAtLeast } from "../support/server_process.ts";
import { tempDir } from "../support/temp_dir.ts";

/** A server in a directory that it does not remove. */
async function start(dir: string, ...args: string[]): Promise<Server> {
  return await startServer({ dir, stopJobs: false, args: ["--cgroup=off", ...args] });
}

/** Starts a job host as a service manager does. */
function spawnHost(data: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "server.ts", "host", "run", "--stay", "--cgroup=off", "--data", data],
    cwd: new URL("../../", import.meta.url).pathname,
    stdout: "null",
    stderr: "null",
  }).spawn();
}

/** Starts a job with a process that has left its session. */
async function startPair(server: Pick<Server, "address" | "dir">): Promise<string> {
  const id = await teleportOk(server, "run", "-d", "--", "sh", "-c", "setsid sleep 1000 & exec sleep 1000");
  await livingAtLeast(id, 2);
  return id;
}

Deno.test("host stop ends the processes of a job host that was killed, and the next server shows the job LOST", async () => {
  await using dir = await tempDir();
  const server = await start(dir.path);
  const id = await startPair(server);
  await killWithHosts(server);
  const data = `${dir.path}/data`;
  const { code, stderr } = await teleportd("host", "stop", "--data", data);
  assert.equal(code, 0, stderr);
  assert.deepEqual(living(id), []);
  assert.match(stderr, new RegExp(`^Jobs whose end nobody saw are LOST: 1 \\("${id}"\\)$`, "m"));
  assert.match(stderr, /^Ended what was left of the jobs of job hosts that have died: "\w+", process \d+$/m);
  await using next = await start(dir.path);
  assert.equal(JSON.parse(await teleportOk(next, "--output", "json", "status", id)).state, "LOST");
  await next.stop();
  await endHosts(dir.path);
});

Deno.test("host stop says that the ends of a job host wait that stopped in order, and host ls shows it stopped", async () => {
  await using dir = await tempDir();
  const server = await start(dir.path);
  const id = await startPair(server);
  server.process.kill("SIGKILL");
  await deadline(server.process.status, "the end of the server");
  const data = `${dir.path}/data`;
  assert.equal((await teleportd("host", "stop", "--data", data)).code, 0);
  const again = await teleportd("host", "stop", "--data", data);
  assert.equal(again.code, 0);
  assert.match(again.stderr, /^Job hosts that have stopped in order: 1\. The next server stores how /m);
  assert.doesNotMatch(again.stderr, /died/);
  const { stdout } = await teleportd("host", "ls", "--data", data, "--output", "json");
  assert.equal(JSON.parse(stdout).state, "stopped");
  await using next = await start(dir.path);
  const { state, reason } = JSON.parse(await teleportOk(next, "--output", "json", "status", id));
  assert.deepEqual([state, reason], ["KILLED", "SHUTDOWN"]);
});

Deno.test("host stop names the server that has the database of a dead job host open", async () => {
  await using dir = await tempDir();
  const server = await start(dir.path);
  const id = await startPair(server);
  const data = `${dir.path}/data`;
  const [host] = await findInstances(data);
  await killWithHosts(server);
  // A server without hosts for the dead one: it has the database open, and cannot be asked.
  await Deno.rename(`${data}/hosts`, `${dir.path}/hosts`);
  const next = await start(dir.path);
  const failures: string[] = [];
  const areEnded = await endLeftovers(data, [{ ...host!, path: `${dir.path}/hosts/${host!.instance}` }], {
    progress: () => {},
    stopped: () => {},
    failed: (text) => failures.push(text),
  });
  assert.equal(areEnded, false);
  assert.match(
    failures.join(),
    new RegExp(`"${host!.instance}", process \\d+\\): the server, process ${next.process.pid}, `),
  );
  assert.deepEqual(living(id), []);
  await next.stop();
  await endHosts(dir.path);
});

Deno.test("a server without a job host of the service manager ends what a killed one has left, and waits for the next", async () => {
  await using dir = await tempDir();
  const data = `${dir.path}/data`;
  const { process } = spawnServer({ dir: dir.path, jobHost: "external", stopJobs: false });
  const log = readText(process.stderr);
  const first = spawnHost(data);
  try {
    await log.growing.until(/^listening on .*\n/m);
    const server = { address: /^listening on (.*)$/m.exec(log.growing.text)?.[1] ?? "", dir: dir.path, process };
    const id = await startPair(server);
    first.kill("SIGKILL");
    await first.status;
    await eventually(() => living(id).length === 0, "the end of the processes of the job");
    await log.growing.until(/ error No job host runs: none of version .* systemctl start teleportd-host, or run /);
    const state = async () => JSON.parse(await teleportOk(server, "--output", "json", "status", id)).state;
    await eventually(async () => await state() === "LOST", "the state LOST");
    const second = spawnHost(data);
    try {
      await eventually(async () => (await teleport(server, "run", "--", "true")).code === 0, "the next job host");
    } finally {
      second.kill("SIGTERM");
      await deadline(second.status, "the end of the next job host");
    }
  } finally {
    process.kill("SIGTERM");
    await deadline(process.status, "the end of the server");
    await log.ended;
    await endHosts(dir.path);
  }
});
