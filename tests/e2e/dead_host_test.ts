/** `teleportd host stop` ends what a job host that was killed has left, or says who can. */
import assert from "node:assert/strict";
import { findInstances } from "../../teleportd/host/instance_directory.ts";
import { endLeftovers } from "../../teleportd/host/end_leftovers.ts";
import { deadline } from "../support/deadline.ts";
import { endHosts, killWithHosts, type Server, startServer, teleportd, teleportOk } from "../support/programs.ts";
import { living, livingAtLeast } from "../support/server_process.ts";
import { tempDir } from "../support/temp_dir.ts";

/** A server in a directory that it does not remove. */
async function start(dir: string, ...args: string[]): Promise<Server> {
  return await startServer({ dir, stopJobs: false, args: ["--cgroup=off", ...args] });
}

/** Starts a job with a process that has left its session. */
async function startPair(server: Server): Promise<string> {
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
