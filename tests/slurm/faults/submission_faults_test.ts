/** Faults of submissions to a real Slurm: each job runs at most once, and its state is true. Slow: Slurm waits long. */
import assert from "node:assert/strict";
import { deadline, eventually } from "../../support/deadline.ts";
import { skippedIf } from "../../support/needs.ts";
import { teleport, teleportOk } from "../../support/programs.ts";
import { refusal } from "../../support/server_process.ts";
import { clusterMissing } from "../../support/slurm_cluster.ts";
import { FaultPlace, type Probe } from "./fault_place.ts";

/** The names of our jobs in the cluster, of those that are not over. */
async function queue({ cluster }: FaultPlace): Promise<string[]> {
  const text = await cluster.run("squeue", "-h", "-o", "%j");
  return text.split("\n").filter((name) => name.startsWith("teleport-"));
}

/**
 * Ends a daemon when Slurm knows of no job any more. A job would hold its node for minutes if its end were not heard, or
 * forgotten by a controller that is killed.
 */
async function endIdle(place: FaultPlace, daemon: "munge" | "controller"): Promise<void> {
  await eventually(async () => (await queue(place)).length === 0, "an empty queue");
  await place.cluster.kill(daemon, "SIGTERM");
}

/** The names of all our jobs that the cluster has had. */
async function submitted({ cluster }: FaultPlace): Promise<string[]> {
  const text = await cluster.run("squeue", "-h", "--states=all", "-o", "%j");
  return text.split("\n").filter((name) => name.startsWith("teleport-"));
}

Deno.test(
  skippedIf(clusterMissing(), "a submission is refused, waits, or has no answer: the job runs at most once"),
  async (t) => {
    // A controller that starts again has this state from its configuration.
    const closed = "PartitionName=closed Nodes=ALL State=DOWN";
    await using place = await FaultPlace.make({ cluster: { lines: [closed] } });
    const { cluster } = place;
    const refuses = async (job: Probe, reason: RegExp) => {
      const { code, message } = await refusal(job.start());
      assert.equal(code, "NOT_ENFORCEABLE");
      assert.match(message, reason);
      assert.deepEqual([(await job.status()).state, job.starts], ["STATE_INITIAL", 0]);
    };

    await t.step("a wrong partition, feature or account", async () => {
      await refuses(await place.register("true", { partition: "nosuch" }), /invalid partition/i);
      await refuses(await place.register("true", { node_constraint: "nosuch" }), /feature/i);
      // A cluster without a database of accounts accepts every account.
      const why =
        "sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified";
      await using _sbatch = await place.replace("sbatch", `echo '${why}' >&2; exit 1`);
      await refuses(await place.register("true"), /Invalid account/);
    });

    await t.step("a limit above the partition's waits, and says so; or is refused", async () => {
      const options = { partition: "short", timeout_ms: 3_600_000 };
      const waiting = await place.run("true", options);
      const status = await waiting.until(({ placement }) => /Limit/.test(placement?.waits_for ?? ""), "the reason");
      assert.equal(status.placement?.waits_for, "PENDING (PartitionTimeLimit)");
      await place.calls.Stop({ id: waiting.id });
      assert.deepEqual([(await waiting.final()).reason, waiting.starts], ["REASON_STOPPED", 0]);
      await eventually(async () => (await queue(place)).length === 0, "an empty queue");
      await Deno.writeTextFile(cluster.conf, "EnforcePartLimits=ALL\n", { append: true });
      await cluster.run("scontrol", "reconfigure");
      await refuses(await place.register("true", options), /time limit/i);
    });

    await t.step("without a free node a job waits, and runs once when there is one", async () => {
      const cgroup_limits = { cpus: 16 };
      const full = [await place.run("gate", { cgroup_limits }), await place.run("gate", { cgroup_limits })];
      for (const job of full) await job.until(({ state }) => state === "STATE_RUNNING", "a node");
      const third = await place.run("echo third; exit 3", { cgroup_limits });
      await third.until(
        ({ placement }) => /^PENDING \((Resources|Priority)\)/.test(placement?.waits_for ?? ""),
        "the reason",
      );
      assert.equal(third.starts, 0);
      for (const job of full) job.pass();
      await third.exits(3, "third\n");
    });

    const unavailable = async (job: Probe) => {
      const { status, code } = await refusal(job.start());
      assert.deepEqual([status, code], ["UNAVAILABLE", "HOST_UNAVAILABLE"]);
      assert.equal((await job.status()).state, "STATE_STARTING");
      // A user tries again, which does not submit the job again.
      await job.start();
    };

    await t.step("run -d ends when Slurm has the job, also when the controller was away at its start", async () => {
      await endIdle(place, "controller");
      const detached = teleport(place.server, "run", "-d", "--name", "detached", "--partition", "closed", "true");
      const status = async () => JSON.parse(await teleportOk(place.server, "--output", "json", "status", "detached"));
      await eventually(async () => (await status().catch(() => ({}))).state === "STARTING", "the intent");
      await cluster.start("controller");
      await cluster.ready();
      const { code, stderr } = await deadline(detached, "the end of run -d", 180_000);
      assert.equal(code, 0, stderr);
      const { state, placement } = await status();
      assert.deepEqual([state, placement.node], ["STARTING", undefined]);
      assert.match(placement.handle, /^\d+$/);
      await cluster.run("scontrol", "update", "PartitionName=closed", "State=UP");
      await teleportOk(place.server, "wait", "detached");
    });

    for (const [daemon, word, code] of [["munge", "munge", 4], ["controller", "down", 5]] as const) {
      await t.step(`${daemon} is dead`, async () => {
        const before = (await submitted(place)).length;
        await endIdle(place, daemon);
        const job = await place.register(`echo ${word}; exit ${code}`);
        await unavailable(job);
        await cluster.start(daemon);
        await job.exits(code, `${word}\n`);
        assert.equal((await submitted(place)).length, before + 1);
      });
    }

    // The controller and a command of it hang for the time limit of commands, both at the same time.
    await using hangs = await place.replace("sbatch", `"$REAL" "$@" >/dev/null\nsleep 1000 &\nwait`);
    const hung = await place.register("sleep 1; echo hung; exit 8");
    const hungBegan = refusal(hung.start());
    hungBegan.catch(() => {}); // It is awaited later.
    await hung.until(({ state }) => state === "STATE_RUNNING" || state === "STATE_EXITED", "the host");
    await hangs[Symbol.asyncDispose]();

    await t.step("the controller hangs: the gateway answers, and the links do not need Slurm", async () => {
      const runs = await place.run("gate; echo linked; exit 6");
      await runs.until(({ state }) => state === "STATE_RUNNING", "the start");
      cluster.signal("controller", "SIGSTOP");
      try {
        const job = await place.register("exit 7");
        const began = unavailable(job);
        const asked = performance.now();
        await place.calls.Status({ id: job.id });
        // Less than the time limit of the command that hangs.
        assert.ok(performance.now() - asked < 20_000, "the gateway answers");
        await began;
        runs.pass();
        await runs.exits(6, "linked\n");
        cluster.signal("controller", "SIGCONT");
        await job.exits(7);
      } finally {
        cluster.signal("controller", "SIGCONT");
      }
    });

    await t.step("sbatch has submitted the job and then does not end, and neither do its children", async () => {
      await hung.exits(8, "hung\n");
      await deadline(hungBegan, "the time limit of sbatch", 60_000).catch(() => {}); // The job may have ended before it.
      assert.equal(hung.starts, 1);
    });

    await t.step("sbatch submits the job and fails", async () => {
      await using _sbatch = await place.replace(
        "sbatch",
        `"$REAL" "$@" >/dev/null; echo 'socket timed out' >&2; exit 1`,
      );
      const job = await place.register("echo cut; exit 9");
      await unavailable(job);
      await job.exits(9, "cut\n");
    });

    await t.step("sbatch submits a job that was stopped meanwhile: it leaves the queue", async () => {
      // A job that ended while the controller was away is RUNNING for it for minutes.
      const earlier = new Set(await queue(place));
      await cluster.run("scontrol", "update", "PartitionName=main", "State=DOWN");
      await using _sbatch = await place.replace("sbatch", `sleep 3; exec "$REAL" "$@"`);
      const job = await place.register("true");
      const began = job.start();
      await job.until(({ state }) => state === "STATE_STARTING", "the intent");
      await place.calls.Stop({ id: job.id });
      await began.catch(() => {});
      await eventually(
        async () => (await queue(place)).every((name) => earlier.has(name)),
        () => `an empty queue\n${place.server.log()}`,
      );
      await cluster.run("scontrol", "update", "PartitionName=main", "State=UP");
      assert.equal(job.starts, 0);
    });
  },
);
