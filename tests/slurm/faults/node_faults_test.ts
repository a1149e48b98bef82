/** Faults of nodes of a real Slurm: their daemons, disks, clocks and networks. Slow: it brings up clusters. */
import assert from "node:assert/strict";
import { eventually } from "../../support/deadline.ts";
import { missing, skippedIf } from "../../support/needs.ts";
import { sendNow } from "../../../worker/linux/signals.ts";
import { livingAtLeast } from "../../support/server_process.ts";
import { clusterMissing, slurmCluster } from "../../support/slurm_cluster.ts";
import { nothingOnNodes, stepDaemons } from "../../support/slurm_gateway.ts";
import { needingDisk, onDisk, run } from "../../support/small_disk.ts";
import { FaultPlace } from "./fault_place.ts";
import { Route } from "./route.ts";

/** Counts to a number, and ends. */
const COUNTS = `n=0; while [ $n -lt 3000 ]; do n=$((n + 1)); echo $n; done; gate; echo last; exit 3`;
const COUNTED = Array.from({ length: 3_000 }, (_, at) => `${at + 1}\n`).join("") + "last\n";

/** Returns the variables of another time. The program itself would stay as the parent, and get the signals. */
async function fakeTime(offset: string): Promise<string[]> {
  const { stdout } = await new Deno.Command("faketime", { args: ["-f", offset, "env"] }).output();
  const lines = new TextDecoder().decode(stdout).split("\n");
  return lines.filter((line) => /^(LD_PRELOAD|FAKETIME)=/.test(line));
}

Deno.test(skippedIf(clusterMissing(), "a job outlives the faults of its node, and its output is exact"), async (t) => {
  await using cluster = await slurmCluster();
  const on = cluster;

  await t.step("a node that cannot be reached", async () => {
    await using route = new Route();
    await using place = await FaultPlace.behind(route, cluster);
    const job = await place.run(COUNTS);
    await job.writes();
    route.cut();
    await job.until(({ placement }) => placement?.unreachable_since !== null, "the loss of the link");
    job.pass();
    await eventually(() => job.processes.length === 0, "the end of the job on its node");
    assert.equal((await job.status()).state, "STATE_RUNNING");
    route.restore();
    await job.exits(3, COUNTED);
    await nothingOnNodes(cluster, place.dir);
  });

  await t.step({
    ...skippedIf(missing("faketime"), "a clock that is off: the log says so"),
    fn: async () => {
      await using place = await FaultPlace.make({ on, starter: ["env", ...await fakeTime("-2h")] });
      const job = await place.run(COUNTS);
      job.pass();
      await job.exits(3, COUNTED);
      await place.server.says(/^warn The clock of node "n[12]" differs by 7[12]\d{5} ms/);
    },
  });

  await t.step({
    ...needingDisk("a disk of the node that is full: the job says so, and what was stored is exact"),
    fn: () =>
      onDisk(4, async (spool) => {
        await using place = await FaultPlace.make({ on, args: [`--node-spool=${spool}`] });
        const job = await place.run("seq 2000000");
        const { state, reason, error, stdout_bytes } = await job.final();
        assert.equal(reason, "REASON_OUTPUT_FAILED", `${state} ${error}`);
        const text = await job.output();
        assert.ok(stdout_bytes > 1_000_000 && stdout_bytes === text.length, `${stdout_bytes}, ${text.length}`);
        assert.ok(text.startsWith("1\n2\n3\n"));
        await job.gone();
        await eventually(() => [...Deno.readDirSync(spool)].length === 0, "an empty spool");
        // A host that cannot make its directory cannot start the job.
        await Deno.writeFile(`${spool}/full`, new Uint8Array(3_900_000));
        await run("sh", "-c", `cat /dev/zero >>${spool}/full || :`);
        const next = await place.run("true");
        const failed = await next.final();
        assert.deepEqual([failed.state, failed.reason, next.starts], ["STATE_FAILED", "REASON_START_FAILED", 0]);
        assert.match(failed.error, /slurm says FAILED/);
      }),
  });

  await t.step({
    ...needingDisk("a disk of the gateway that is full: the output arrives when there is room"),
    fn: () =>
      onDisk(4, async (disk) => {
        await using place = await FaultPlace.make({ on, output: disk });
        const job = await place.run("seq 2000000; exit 3");
        await eventually(() => /Cannot store|No space left/.test(place.server.log()), "a message about the disk");
        await eventually(() => job.processes.length === 0, "the end of the job on its node");
        assert.equal((await job.status()).state, "STATE_RUNNING");
        await run("mount", "-o", "remount,size=64m", disk);
        await job.exits(3, Array.from({ length: 2_000_000 }, (_, at) => `${at + 1}\n`).join(""));
        await nothingOnNodes(cluster, place.dir);
      }),
  });

  await using place = await FaultPlace.make({ on });
  await t.step("slurmd", async () => {
    const job = await place.run(COUNTS);
    const { placement } = await job.writes();
    const node = placement?.node === "n1" ? "n1" : "n2";
    await cluster.kill(node, "SIGKILL");
    job.pass();
    await job.exits(3, COUNTED);
    await cluster.start(node);
    await cluster.ready();
  });

  await t.step("slurmstepd", async () => {
    const job = await place.run(COUNTS);
    const { placement } = await job.writes();
    const [daemon, ...others] = stepDaemons(cluster, placement?.handle);
    assert.ok(daemon !== undefined && others.length === 0, `${others.length} others`);
    Deno.kill(daemon, "SIGKILL");
    job.pass();
    await job.exits(3, COUNTED);
  });

  await t.step("a host that is killed before it is accepted is started again, and starts the job", async () => {
    const job = await place.register(COUNTS);
    await place.kill();
    await place.start();
    await job.start();
    Deno.kill(await job.host(), "SIGKILL");
    job.pass();
    const { state, error } = await job.final();
    // Only a job that the host has begun is lost.
    if (job.starts > 0 && state === "STATE_LOST") assert.match(error, /job host died/);
    else await job.exits(3, COUNTED);
    await job.gone();
  });

  await t.step("a host that is killed: nothing of the job runs on, its output is there, and it is LOST", async () => {
    const job = await place.run("setsid sleep 600 & echo up; sleep 600");
    await job.writes();
    await livingAtLeast(job.id, 3);
    Deno.kill(await job.host(), "SIGKILL");
    const { state, error, stdout_bytes } = await job.final();
    assert.deepEqual([state, stdout_bytes], ["STATE_LOST", 3]);
    assert.match(error, /job host died/);
    await job.gone();
  });

  await t.step("the host and its script: the job is LOST with the words of Slurm", async () => {
    const job = await place.run(COUNTS);
    await job.writes();
    const host = await job.host();
    const script = Number(/^PPid:\s+(\d+)$/m.exec(Deno.readTextFileSync(`/proc/${host}/status`))?.[1]);
    Deno.kill(script, "SIGKILL");
    Deno.kill(host, "SIGKILL");
    const { state, error } = await job.final();
    assert.equal(state, "STATE_LOST");
    assert.match(error, /slurm says (FAILED|CANCELLED|NODE_FAIL)/);
    assert.equal(job.starts, 1);
    // Only ProctrackType=proctrack/cgroup finds the processes: docs/slurm.md.
    await eventually(() => {
      for (const pid of job.processes) sendNow(Number(pid), "SIGKILL");
      return job.processes.length === 0;
    }, "the end of the job's processes");
  });

  await t.step("the next host on a node removes what was killed together with its script", async () => {
    const spool = () => [...Deno.readDirSync(`${place.dir}/spool`)].map(({ name }) => name);
    assert.ok(spool().length > 0);
    const next = await place.run("exit 3");
    await next.exits(3, "");
    await eventually(() => spool().length === 0, () => `an empty spool, which has ${spool()}`);
  });
});
