/** Ends that a real Slurm gives to jobs: somebody cancels them, others preempt them, their time is over. Slow. */
import assert from "node:assert/strict";
import { skippedIf } from "../../support/needs.ts";
import { clusterMissing } from "../../support/slurm_cluster.ts";
import { FaultPlace } from "./fault_place.ts";

/** Ends within a moment of SIGTERM. */
const POLITE = `trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.1; done`;
/** Ends by SIGKILL alone, and has a process that has left the group. */
const DEAF =
  `trap '' TERM; echo up; setsid sh -c "trap '' TERM; while :; do sleep 1; done" & while :; do sleep 0.1; done`;

Deno.test(
  skippedIf(clusterMissing(), "a job that Slurm ends has a true state, and nothing of it is left"),
  async (t) => {
    await using place = await FaultPlace.make({
      cluster: {
        // The polite job must end within this time, also on a machine that does much else.
        settings: { PreemptType: "preempt/partition_prio", PreemptMode: "CANCEL", KillWait: "15" },
        lines: [
          "PartitionName=low Nodes=n1 PriorityTier=1 PreemptMode=CANCEL GraceTime=0 State=UP",
          "PartitionName=high Nodes=n1 PriorityTier=10 PreemptMode=OFF State=UP",
        ],
      },
    });
    const { cluster } = place;

    await t.step("a plain scancel of a job that ends in time", async () => {
      const job = await place.run(POLITE);
      const { placement } = await job.writes();
      await cluster.run("scancel", placement?.handle ?? "");
      const { state, exit_code, signal, reason, error } = await job.final();
      assert.match(
        `${state} ${exit_code ?? signal} ${reason} ${error}`,
        /^STATE_(EXITED 3|KILLED SIGTERM) REASON_(SHUTDOWN|EXITED|SIGNALED)/,
      );
      assert.match(await job.output(), /^up\nbye\n(bye\n)?$/);
      await job.gone();
    });

    await t.step("SIGTERM of the cluster to the script alone", async () => {
      const job = await place.run(POLITE);
      const { placement } = await job.writes();
      await cluster.run("scancel", "--batch", "--signal=TERM", placement?.handle ?? "");
      const { state, exit_code, reason } = await job.final();
      assert.deepEqual([state, exit_code, reason], ["STATE_EXITED", 3, "REASON_SHUTDOWN"]);
      assert.equal(await job.output(), "up\nbye\n");
      await job.gone();
    });

    await t.step("two requests to end: the host stays until the job has ended", async () => {
      const job = await place.run(`trap '' TERM; echo up; gate; exit 5`, { grace_ms: 600_000 });
      const { placement } = await job.writes();
      const request = () => cluster.run("scancel", "--batch", "--signal=TERM", placement?.handle ?? "");
      await request();
      await new Promise((resolve) => setTimeout(resolve, 500)); // A repetition within 200 ms is none.
      await request();
      job.pass();
      const { state, exit_code, reason, error } = await job.final();
      assert.deepEqual([state, exit_code, reason], ["STATE_EXITED", 5, "REASON_SHUTDOWN"], error);
      await job.gone();
    });

    // Each waits until Slurm's words have been the same for half a minute, so all do that at the same time.
    const all = { cgroup_limits: { cpus: 16 } };
    // Slurm kills it before its grace period is over.
    const preempted = await place.run(DEAF, { ...all, partition: "low", grace_ms: 600_000 });
    await preempted.writes();
    const ways = [[], ["--signal=KILL"], ["--signal=KILL", "--full"]];
    const cancelled = await Promise.all(ways.map(async (how) => {
      const job = await place.run(DEAF);
      const { placement } = await job.writes();
      await cluster.run("scancel", ...how, placement?.handle ?? "");
      return { how, job };
    }));

    await t.step("preemption", async () => {
      const winner = await place.run("echo won", { ...all, partition: "high" });
      const { state, error } = await preempted.final();
      assert.equal(state, "STATE_LOST");
      assert.match(error, /slurm says PREEMPTED/);
      assert.equal(await preempted.output(), "up\n");
      await preempted.gone();
      await winner.exits(0, "won\n");
    });

    for (const { how, job } of cancelled) {
      await t.step(`scancel ${how.join(" ")} of a job that does not end`, async () => {
        const { state, signal, reason, error } = await job.final();
        if (state === "STATE_LOST") assert.match(error, /slurm says CANCELLED|job host died/);
        else assert.deepEqual([state, signal, reason], ["STATE_KILLED", "SIGKILL", "REASON_SHUTDOWN"], error);
        assert.equal(await job.output(), "up\n");
        await job.gone();
      });
    }
  },
);
