/** Faults of job hosts, as a user meets them: dead, hung, stopped, of another version, and on a full disk. */
import assert from "node:assert/strict";
import { CallError } from "../../rpc/client/client.ts";
import { deadline, eventually } from "../support/deadline.ts";
import { spawnServer, teleportd } from "../support/programs.ts";
import { Random, seedFor } from "../support/random.ts";
import { checkProcesses, checkPrograms } from "./checks.ts";
import { Ledger } from "./ledger.ts";
import { Load } from "./load.ts";
import { OneJob } from "./one_job.ts";
import { Place } from "./place.ts";
import { jobProcesses } from "./processes.ts";

/** Gives the only job host of a place. */
async function hostOf(place: Place): Promise<number> {
  await checkPrograms(place, 1);
  return place.programs().hosts[0]!;
}

/** Waits until no job host is left. */
async function hostsEnd(place: Place): Promise<void> {
  await eventually(() => place.programs().hosts.length === 0, "the end of the job host");
}

function namesIn(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name);
}

Deno.test("a socket file that a dead job host has left does not stop the next server", async () => {
  await using place = await Place.make();
  const job = await OneJob.start(place);
  Deno.kill(await hostOf(place), "SIGKILL");
  await place.kill();
  const [dead] = namesIn(`${place.data}/hosts`);
  assert.ok(namesIn(`${place.data}/hosts/${dead}`).includes("socket"));
  // A directory with nothing but a dead socket, as a host leaves it that was killed in its first moments.
  const early = `${place.data}/hosts/0123456789abcdef`;
  await Deno.mkdir(early, { mode: 0o700 });
  const listener = Deno.listen({ transport: "unix", path: `${early}/listening` });
  await Deno.rename(`${early}/listening`, `${early}/socket`);
  listener.close();
  await place.start();
  await job.ended("STATE_LOST", "REASON_LOST");
  await hostOf(place);
  await eventually(
    () => namesIn(`${place.data}/hosts`).length === 1,
    () => `one directory, not ${namesIn(`${place.data}/hosts`)}`,
  );
  const next = await OneJob.start(place, "next");
  await next.finish();
});

Deno.test("a second server on a data directory is refused, and neither server nor jobs are disturbed", async () => {
  await using place = await Place.make();
  const job = await OneJob.start(place);
  const { process } = spawnServer({ dir: place.dir });
  const [said, { code }] = await Promise.all([new Response(process.stderr).text(), deadline(process.status)]);
  assert.equal(code, 1, said);
  assert.ok(said.includes(`process ${place.server.process.pid} has it open`), said);
  await hostOf(place);
  await job.runs();
  await job.finish();
});

Deno.test("while its job host hangs, a server answers UNAVAILABLE and NOT_SERVING, and heals by itself", async () => {
  await using place = await Place.make();
  const ended = await OneJob.start(place, "ended");
  await ended.finish();
  const job = await OneJob.start(place);
  const pid = await hostOf(place);
  Deno.kill(pid, "SIGSTOP");
  // The host may still carry it out later, so it must be harmless.
  const harmless = { id: job.id, signal: "SIGCONT" };
  const error = await deadline(place.calls.Signal(harmless), "an answer").catch((error) => error);
  assert.ok(error instanceof CallError, "The call is refused");
  assert.equal(error.status, "UNAVAILABLE");
  assert.ok(error.message.includes(`${pid}`), error.message);
  await eventually(async () => await place.client.health() === "NOT_SERVING", "NOT_SERVING");
  await place.server.says(new RegExp(`job host.*process ${pid}|process ${pid}.*job host`, "i"));
  // Calls that need no job host work.
  assert.equal((await place.calls.Status({ id: ended.id })).state, "STATE_EXITED");
  assert.equal((await place.calls.List({})).jobs.length, 2);
  for await (const _ of place.calls.GetOutput({ id: ended.id, follow: false }));
  // Each of these calls fails at once. Together they would take minutes if each waited for the host.
  await deadline(
    (async () => {
      for (let count = 0; count < 30; count++) {
        await assert.rejects(place.calls.Signal(harmless), { status: "UNAVAILABLE" });
      }
    })(),
    "the refusal of 30 calls",
  );
  Deno.kill(pid, "SIGCONT");
  await eventually(async () => await place.client.health() === "SERVING", "SERVING");
  await job.runs();
  await job.finish();
});

Deno.test("a server that finds a hung job host serves, leaves its jobs alone, and gets them back", async () => {
  await using place = await Place.make();
  const job = await OneJob.start(place);
  const pid = await hostOf(place);
  Deno.kill(pid, "SIGSTOP");
  await place.kill();
  await place.start();
  await place.server.says(new RegExp(`process ${pid}`));
  await assert.rejects(place.calls.Signal({ id: job.id, signal: "SIGCONT" }), { status: "UNAVAILABLE" });
  await job.counts();
  const other = await OneJob.start(place, "other");
  await other.finish();
  Deno.kill(pid, "SIGCONT");
  await eventually(
    async () => (await place.calls.Signal({ id: job.id, signal: "SIGCONT" }).catch(() => undefined)) !== undefined,
    "the server has the job again",
  );
  await job.runs();
  await job.finish();
});

Deno.test("jobs outlive a server whose data directory has a path that is longer than a socket may have", async () => {
  await using place = await Place.make({ below: `${"a".repeat(90)}/${"b".repeat(90)}` });
  const job = await OneJob.start(place);
  const pid = await hostOf(place);
  await place.kill();
  await job.counts();
  await place.start();
  await job.runs();
  assert.equal(await hostOf(place), pid);
  await job.finish();
});

Deno.test("a job host ends when no job runs and no server is attached, and not before", async () => {
  await using place = await Place.make();
  await hostOf(place);
  await place.kill();
  await hostsEnd(place);
  await place.start();
  const job = await OneJob.start(place);
  const pid = await hostOf(place);
  await place.kill();
  await job.counts();
  assert.deepEqual(place.programs().hosts, [pid]);
  Deno.kill(job.pid, "SIGKILL");
  await hostsEnd(place);
  await place.start();
  await job.ended("STATE_KILLED", "REASON_SIGNALED");
  assert.equal(await place.stop(), 0);
  await hostsEnd(place);
  assert.deepEqual(namesIn(`${place.data}/hosts`), []);
});

Deno.test("SIGTERM ends a server with exit code 0, and the next one shows its jobs running", async () => {
  await using place = await Place.make();
  const job = await OneJob.start(place);
  assert.equal(await place.stop(), 0);
  await job.counts();
  await place.start();
  await job.runs();
  await job.finish();
});

Deno.test("a server with --stop-jobs stops its jobs first, with their grace period", async () => {
  await using place = await Place.make({ stopJobs: true });
  const job = await OneJob.start(place);
  assert.equal(await place.stop(), 0);
  await job.gone();
  await hostsEnd(place);
  await place.start();
  await job.ended("STATE_EXITED", "REASON_SHUTDOWN");
});

Deno.test("a server with --stop-jobs that is stopped under load leaves no job and no job host", async () => {
  await using place = await Place.make({ stopJobs: true });
  const random = new Random(seedFor("host_faults_test"));
  for (let round = 1; round <= 5; round++) {
    const load = new Load(place, new Ledger(place), random, `round${round}`, 4);
    await new Promise((resolve) => setTimeout(resolve, random.below(500)));
    assert.equal(await place.stop(), 0);
    await load.ended();
    await hostsEnd(place);
    assert.deepEqual([...jobProcesses(place.dir)], []);
    await place.start();
  }
});

Deno.test("teleportd host stop ends the jobs of a server, which says so and starts another job host", async () => {
  await using place = await Place.make();
  const job = await OneJob.start(place);
  const pid = await hostOf(place);
  const { code, stderr } = await teleportd("host", "stop", "--data", place.data);
  assert.equal(code, 0, stderr);
  await job.ended("STATE_EXITED", "REASON_SHUTDOWN");
  await eventually(() => !place.programs().hosts.includes(pid), "the end of the job host");
  const next = await OneJob.start(place, "next");
  await next.finish();
  await checkProcesses(place);
});

Deno.test("teleportd host stop ends jobs without a server, and the next server knows how", async () => {
  await using place = await Place.make();
  const job = await OneJob.start(place);
  await place.kill();
  const { code, stderr } = await teleportd("host", "stop", "--data", place.data);
  assert.equal(code, 0, stderr);
  await job.gone();
  await hostsEnd(place);
  await place.start();
  await job.ended("STATE_EXITED", "REASON_SHUTDOWN");
});

Deno.test("teleportd host ls lists each job host with its state and its running jobs", async () => {
  await using place = await Place.make();
  const job = await OneJob.start(place);
  const pid = await hostOf(place);
  const list = async () => {
    const { code, stdout, stderr } = await teleportd("host", "ls", "--output", "json", "--data", place.data);
    assert.equal(code, 0, stderr);
    return stdout.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  };
  const [host, ...others] = await list();
  assert.deepEqual([host.pid, host.state, host.running_jobs, others], [pid, "attached", 1, []]);
  await place.kill();
  await eventually(async () => (await list())[0].state === "alone", "a job host without a server");
  Deno.kill(pid, "SIGSTOP");
  assert.equal((await list())[0].state, "hung");
  Deno.kill(pid, "SIGKILL");
  await eventually(async () => (await list())[0].state === "dead", "a dead job host");
  await place.start();
  await job.ended("STATE_LOST", "REASON_LOST");
});
