/** Faults of a real Slurm that take minutes: they run with TELEPORT_SLOW_FAULTS=1. Slow: it brings up clusters. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { eventually } from "../../support/deadline.ts";
import { skippedIf } from "../../support/needs.ts";
import { clusterMissing } from "../../support/slurm_cluster.ts";
import { nodeHosts, nothingOnNodes } from "../../support/slurm_gateway.ts";
import { run } from "../../support/small_disk.ts";
import { FaultPlace, type Probe } from "./fault_place.ts";
import { Route } from "./route.ts";

const reason = Deno.env.get("TELEPORT_SLOW_FAULTS") === undefined
  ? "takes minutes, and runs with TELEPORT_SLOW_FAULTS=1"
  : clusterMissing();
const slow = (name: string) => skippedIf(reason, name);

/** How long the gateway is away, and how long a node cannot be reached, in milliseconds. */
const AWAY_MS = 600_000;
const UNREACHABLE_MS = 60_000;

/** Counts, about a hundred lines a second, until it may pass its gate. */
const COUNTS = `n=0; until [ -e "$0.go" ]; do n=$((n + 1)); echo $n; sleep 0.01; done; echo "last $n"; exit 3`;

/** Checks that every line of such a job has arrived, once and in order. Returns their number. */
async function counted(job: Probe): Promise<number> {
  await job.exits(3);
  const lines = (await job.output()).split("\n");
  const last = lines.length - 2;
  assert.deepEqual(lines.slice(-2), [`last ${last}`, ""]);
  for (let at = 0; at < last; at++) assert.equal(lines[at], `${at + 1}`);
  return last;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test(slow("the gateway is away for ten minutes: output that is written meanwhile arrives exactly"), async () => {
  await using place = await FaultPlace.make();
  const runs = await place.run(COUNTS);
  const ends = await place.run(COUNTS);
  await runs.writes();
  await ends.writes();
  await place.kill();
  await pause(AWAY_MS / 2);
  ends.pass();
  await pause(AWAY_MS / 2);
  await place.start();
  runs.pass();
  console.log(
    `lines of the job that ended meanwhile: ${await counted(ends)}, of the other one: ${await counted(runs)}`,
  );
  await nothingOnNodes(place.cluster, place.dir);
});

Deno.test(
  slow("nothing arrives from a node for a minute: the job runs on, and its output arrives exactly"),
  async () => {
    await using route = new Route();
    await using place = await FaultPlace.behind(route);
    const job = await place.run(COUNTS);
    await job.writes();
    route.freeze();
    await pause(UNREACHABLE_MS);
    const { state, placement } = await job.status();
    assert.deepEqual([state, placement?.unreachable_since !== null], ["STATE_RUNNING", true]);
    route.restore();
    job.pass();
    console.log(`lines: ${await counted(job)}`);
    await nothingOnNodes(place.cluster, place.dir);
  },
);

Deno.test(slow("the time limit of Slurm is shorter than ours: the job is asked to end, and then killed"), async () => {
  await using place = await FaultPlace.make({ cluster: { settings: { OverTimeLimit: "0" } } });
  const polite = await place.run(`trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.1; done`, {
    partition: "short",
  });
  const deaf = await place.run(`trap '' TERM; echo up; while :; do sleep 0.1; done`, {
    partition: "short",
    grace_ms: 600_000,
  });
  const asked = await polite.final();
  console.log("polite:", asked.state, asked.reason, asked.exit_code, asked.error);
  const killed = await deaf.final();
  console.log("deaf:", killed.state, killed.reason, killed.signal, killed.error);
  assert.deepEqual([polite.starts, deaf.starts], [1, 1]);
  assert.deepEqual([asked.state, asked.reason, await polite.output()], [
    "STATE_EXITED",
    "REASON_SHUTDOWN",
    "up\nbye\n",
  ]);
  if (killed.state === "STATE_LOST") assert.match(killed.error, /slurm says TIMEOUT/);
  await deaf.gone();
});

Deno.test(
  slow("Slurm gives a node up: a job with a link runs on, until the daemon comes back and ends it"),
  async () => {
    await using place = await FaultPlace.make();
    const { cluster } = place;
    const job = await place.run(COUNTS);
    const { placement } = await job.writes();
    const node = placement?.node === "n1" ? "n1" : "n2";
    await cluster.kill(node, "SIGKILL");
    const word = () => cluster.run("squeue", "-h", "--states=all", "-j", placement?.handle ?? "", "-o", "%T");
    await eventually(async () => /NODE_FAIL/.test(await word()), "NODE_FAIL");
    await pause(35_000);
    assert.equal((await job.status()).state, "STATE_RUNNING");
    await cluster.start(node);
    await pause(15_000);
    job.pass();
    const { state, reason: why, error, signal } = await job.final();
    console.log(state, why, signal, error);
    assert.equal(job.starts, 1);
    await job.gone();
    await eventually(() => nodeHosts(cluster).length === 0, "the end of the host");
  },
);

Deno.test(
  slow("Slurm gives a node up that cannot be reached: the job is LOST when the node answers again"),
  async () => {
    await using route = new Route();
    await using place = await FaultPlace.behind(route);
    const { cluster } = place;
    const job = await place.run("trap '' TERM; echo up; while :; do sleep 0.1; done");
    const { placement } = await job.writes();
    const node = placement?.node === "n1" ? "n1" : "n2";
    route.cut();
    await cluster.kill(node, "SIGKILL");
    const word = () => cluster.run("squeue", "-h", "--states=all", "-j", placement?.handle ?? "", "-o", "%T");
    await eventually(async () => /NODE_FAIL/.test(await word()), "NODE_FAIL");
    await pause(40_000);
    const { state, placement: silent } = await job.status();
    assert.deepEqual([state, silent?.unreachable_since !== null], ["STATE_RUNNING", true]);
    await cluster.start(node);
    const lost = await job.final();
    console.log(lost.state, lost.reason, lost.error);
    assert.equal(lost.state, "STATE_LOST");
    assert.match(lost.error, /slurm says NODE_FAIL/);
    route.restore();
    await job.gone();
    await eventually(() => nodeHosts(cluster).length === 0, "the end of the host");
  },
);

Deno.test(slow("with proctrack/cgroup nothing is left of a job whose host and script are killed"), async () => {
  await using place = await FaultPlace.make({
    cluster: {
      settings: { ProctrackType: "proctrack/cgroup" },
      cgroupConf: "CgroupPlugin=cgroup/v1\nCgroupMountpoint=/sys/fs/cgroup\n",
    },
  });
  const job = await place.run(`trap '' TERM; setsid sleep 1000 & echo up; while :; do sleep 0.1; done`);
  await job.writes();
  const host = await job.host();
  const script = Number(/^PPid:\s+(\d+)$/m.exec(Deno.readTextFileSync(`/proc/${host}/status`))?.[1]);
  Deno.kill(script, "SIGKILL");
  Deno.kill(host, "SIGKILL");
  const { state, error } = await job.final();
  console.log(state, error);
  assert.equal(state, "STATE_LOST");
  assert.equal(job.starts, 1);
  await job.gone();
});

Deno.test(slow("300 MB are exact through a kill of the gateway, while the job runs on"), async () => {
  await using place = await FaultPlace.make();
  const source = `${place.dir}/random`;
  const bytes = 30_000_000;
  await run("sh", "-c", `head -c ${5 * bytes} /dev/urandom >${source}`);
  const job = await place.run(
    `for i in 0 1 2 3 4; do
      dd if=${source} bs=${bytes} skip=$i count=1 status=none & dd if=${source} bs=${bytes} skip=$i count=1 status=none >&2
      wait; sleep 0.5; done`,
  );
  await job.until(({ stdout_bytes }) => stdout_bytes > 20_000_000, "some output");
  await place.kill();
  await place.start();
  const { state, stdout_bytes, stderr_bytes } = await job.final();
  assert.deepEqual([state, stdout_bytes, stderr_bytes], ["STATE_EXITED", 5 * bytes, 5 * bytes]);
  const wanted = createHash("sha256").update(await Deno.readFile(source)).digest("hex");
  for (const wantedStream of ["STREAM_STDOUT", "STREAM_STDERR"]) {
    const hash = createHash("sha256");
    for await (const { data, stream } of place.calls.GetOutput({ id: job.id, follow: false })) {
      if (stream === wantedStream) hash.update(data);
    }
    assert.equal(hash.digest("hex"), wanted, wantedStream);
  }
});
