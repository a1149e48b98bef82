/** Tests of the commands of a user on jobs of a real Slurm cluster. Slow: it brings up a cluster. */
import assert from "node:assert/strict";
import { defined } from "../../base/defined.ts";
import { eventually } from "../support/deadline.ts";
import { skippedIf } from "../support/needs.ts";
import { type Server, startServer, teleport, teleportOk } from "../support/programs.ts";
import { clusterMissing, slurmCluster } from "../support/slurm_cluster.ts";
import { killGateway, nothingOnNodes, startGateway, stopGateway } from "../support/slurm_gateway.ts";
import { tempDir } from "../support/temp_dir.ts";
import { promiseSteps } from "./promises.ts";

/** The part of `--output json` that these tests read. */
interface Status {
  readonly state: string;
  readonly engine?: string;
  readonly placement?: { readonly handle?: string; readonly node?: string; readonly waits_for?: string };
}

Deno.test(skippedIf(clusterMissing(), "every command works on a job of Slurm"), async (t) => {
  await using cluster = await slurmCluster();
  await using place = await tempDir();
  await using other = await tempDir();
  const { path: dir } = place;
  const world = {
    server: await startGateway(cluster, dir),
    async restart() {
      await killGateway(this.server);
      this.server = await startGateway(cluster, dir, this.server.address);
    },
  };
  await using _stop = { [Symbol.asyncDispose]: () => stopGateway(world.server) };
  await promiseSteps(t, world);
  const { server } = world;
  const statusOf = async (id: string, from: Server = server): Promise<Status> =>
    JSON.parse(await teleportOk(from, "--output", "json", "status", id));
  const statusLine = async (id: string, name: string) =>
    new RegExp(`^${name}: +(.*)$`, "m").exec(await teleportOk(server, "status", id))?.[1];

  await t.step("the log says what the operator should know of the cluster", async () => {
    await server.says(/^warn Slurm's ProctrackType is proctrack\/linuxproc: /);
  });

  await t.step("limits are Slurm's, and the status tells the place", async () => {
    const options = ["--cpus", "2", "--memory", "200MiB", "--timeout", "90s", "--partition", "main"];
    const id = await teleportOk(server, "run", "-d", ...options, "sleep", "600");
    await eventually(async () => (await statusOf(id)).state === "RUNNING", "the start");
    const { placement, engine } = await statusOf(id);
    assert.equal(engine, "slurm");
    assert.match(placement?.node ?? "", /^n[12]$/);
    const facts = await cluster.run("scontrol", "-o", "show", "job", placement?.handle ?? "");
    assert.match(facts, / CPUs\/Task=2 /);
    assert.match(facts, / MinMemoryNode=200M /);
    assert.match(facts, / TimeLimit=00:04:00 /);
    assert.match(facts, / Partition=main /);
    const text = await teleportOk(server, "status", id);
    assert.match(text, /^Engine: +slurm$/m);
    assert.match(text, new RegExp(`^Node: +${placement?.node}$`, "m"));
    await teleportOk(server, "stop", id);
    assert.deepEqual((await statusOf(id)).placement, placement, "also after the end");
    assert.match(await teleportOk(server, "status", id), new RegExp(`^Engine's number: +${placement?.handle}$`, "m"));
  });

  await t.step("a job that Slurm refuses is back in INITIAL, with Slurm's reason", async () => {
    const { code, stderr } = await teleport(server, "run", "--name", "lost", "--partition", "nosuch", "true");
    assert.equal(code, 1);
    assert.match(stderr, /Slurm refuses the job:.*invalid partition specified: nosuch/is);
    assert.match(stderr, /was registered, but not started: "teleport start/);
    assert.equal((await statusOf("lost")).state, "INITIAL");
    const unknown = await teleport(server, "run", "--pids", "10", "true");
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /Cannot enforce the .* on a node of slurm/);
  });

  await t.step("a job of the same server can run on its own machine", async () => {
    const options = ["--engine", "local", "--name", "here"];
    const { code, stdout } = await teleport(server, "run", ...options, "sh", "-c", "echo $SLURM_JOB_ID");
    assert.deepEqual([code, stdout], [0, "\n"]);
    assert.equal((await statusOf("here")).placement, undefined);
  });

  await t.step("a job that waits shows why, and a stop takes it out of the queue", async () => {
    const setPartition = (state: string) => cluster.run("scontrol", "update", "PartitionName=main", `State=${state}`);
    await setPartition("DOWN");
    await using _up = { [Symbol.asyncDispose]: () => setPartition("UP").then(() => {}) };
    const queued = await teleportOk(server, "run", "-d", "sleep", "600");
    const { state, placement } = await statusOf(queued);
    assert.deepEqual([state, placement?.node], ["STARTING", undefined]);
    assert.match(placement?.handle ?? "", /^\d+$/);
    await teleportOk(server, "stop", queued);
    const waiting = teleport(server, "run", "--name", "waiting", "true");
    await eventually(
      async () => /PartitionDown/.test((await statusOf("waiting").catch(() => undefined))?.placement?.waits_for ?? ""),
      "the reason of Slurm",
    );
    assert.match(await statusLine("waiting", "State") ?? "", /^STARTING, waits for a node: PENDING \(PartitionDown\)$/);
    assert.match(await teleportOk(server, "ls"), /waiting +STARTING/);
    const { code, stderr } = await teleport(server, "pause", "waiting");
    assert.equal(code, 1);
    assert.match(stderr, /STARTING/);
    assert.match(await teleportOk(server, "stop", "waiting"), /FAILED: .* waited for a machine of slurm$/);
    assert.equal((await waiting).code, 126);
    await eventually(async () => await cluster.run("squeue", "-h", "-t", "PENDING") === "", "an empty queue");
  });

  await t.step("a host that cannot start says why, in the error of the job", async () => {
    const broken = await startGateway(cluster, other.path, "127.0.0.1:0", ["--node-spool=/no/such/directory"]);
    await using _broken = { [Symbol.asyncDispose]: () => stopGateway(broken) };
    const { code, stderr } = await teleport(broken, "run", "--name", "broken", "true");
    assert.equal(code, 126);
    const [, report = ""] =
      /its job host on node "n[12]" wrote to (\S+\.err): .*Cannot make "\/no\/such\/directory/.exec(stderr) ?? [];
    assert.match(report, /^\/tmp\//, stderr);
    await Deno.remove(report);
    const { state, placement } = await statusOf("broken", broken);
    assert.deepEqual([state, typeof placement?.handle], ["FAILED", "string"]);
  });

  await t.step("two servers share a cluster, and none sees a job of the other", async () => {
    // A host of an earlier job may still be there for a moment.
    await nothingOnNodes(cluster, dir);
    const second = await startGateway(cluster, other.path);
    await using _second = { [Symbol.asyncDispose]: () => stopGateway(second) };
    const ids = await Promise.all(
      [server, second].map((one) => teleportOk(one, "run", "-d", "--name", "same", "sleep", "600")),
    );
    await eventually(async () => (await statusOf("same")).state === "RUNNING", "the first start");
    await eventually(async () => (await statusOf("same", second)).state === "RUNNING", "the second start");
    // Slurm notices the end of an earlier job a moment after its host has gone.
    let names: string[] = [];
    await eventually(async () => {
      names = (await cluster.run("squeue", "-h", "-t", "RUNNING", "-o", "%j")).trim().split("\n");
      return names.length === 2;
    }, () => `two running jobs, got ${names}`);
    assert.equal(new Set(names).size, 2);
    for (const name of names) assert.match(name, /^teleport-[0-9a-f]{32}$/);
    assert.equal((await teleport(second, "status", ids[0]!)).code, 1);
    await teleportOk(server, "stop", "same");
    assert.equal((await statusOf("same", second)).state, "RUNNING");
    await teleportOk(second, "stop", "same");
    await nothingOnNodes(cluster, other.path);
  });

  await t.step("nothing is left on the nodes", () => nothingOnNodes(cluster, dir));
});

Deno.test("the promises that a job of Slurm keeps hold on this machine too", async (t) => {
  await using place = await tempDir();
  const { path: dir } = place;
  const start = (listen?: string) => startServer({ dir, stopJobs: false, ...defined({ listen }) });
  const world = {
    server: await start(),
    async restart() {
      await killGateway(this.server);
      this.server = await start(this.server.address);
    },
  };
  await using _stop = { [Symbol.asyncDispose]: () => stopGateway(world.server) };
  await promiseSteps(t, world);
});
