/** Kills of the controller of a real Slurm, which then forgets jobs, runs them twice, and gives their numbers again. Slow. */
import assert from "node:assert/strict";
import { eventually } from "../../support/deadline.ts";
import { skippedIf } from "../../support/needs.ts";
import { clusterMissing } from "../../support/slurm_cluster.ts";
import { nodeHosts } from "../../support/slurm_gateway.ts";
import { FaultPlace } from "./fault_place.ts";

Deno.test(skippedIf(clusterMissing(), "a job runs once whenever the controller is killed"), async (t) => {
  await using place = await FaultPlace.make();
  const { cluster } = place;

  await t.step("right after the answer of sbatch, and its number goes to the next job", async () => {
    // The command returns after the kill, so that no state is saved between.
    const answered = `${place.dir}/answered`;
    await using sbatch = await place.replace(
      "sbatch",
      `"$REAL" "$@" >${answered}.new || exit\nkill -9 $(cat ${cluster.directory}/controller.pid)\n` +
        `mv ${answered}.new ${answered}\ncat ${answered}`,
    );
    // No node is free, or a node has the job already.
    for (const node of ["n1", "n2"] as const) cluster.signal(node, "SIGSTOP");
    const job = await place.run("echo mine; exit 3");
    for (const node of ["n1", "n2"] as const) cluster.signal(node, "SIGCONT");
    const number = (await Deno.readTextFile(answered)).trim();
    await sbatch[Symbol.asyncDispose]();
    await cluster.kill("controller", "SIGKILL");
    await cluster.start("controller");
    await cluster.ready();
    const next = (await cluster.run("sbatch", "--parsable", "--output=/dev/null", "--wrap=sleep 15; exit 7")).trim();
    await job.exits(3, "mine\n");
    assert.ok(Number(next) >= Number(number), `${next} after ${number}`);
    await eventually(async () => {
      const text = await cluster.run("scontrol", "-o", "show", "job", next);
      return / JobState=(FAILED|COMPLETED) .* ExitCode=7:0 /.test(text);
    }, "the end of the job of somebody else, whom nobody has cancelled");
  });

  for (const round of [1, 2]) {
    await t.step(`at the first instruction of the job (${round})`, async () => {
      const job = await place.run("gate; echo out; exit 4");
      await eventually(() => job.starts > 0, "the first instruction");
      await cluster.kill("controller", "SIGKILL");
      await cluster.start("controller");
      await cluster.ready();
      job.pass();
      const { state, exit_code, error } = await job.final();
      if (state === "STATE_LOST") assert.match(error, /slurm says/);
      else assert.deepEqual([state, exit_code, await job.output()], ["STATE_EXITED", 4, "out\n"]);
      assert.equal(job.starts, 1);
      await job.gone();
    });
  }

  await t.step("no host is left", async () => {
    await eventually(() => nodeHosts(cluster).length === 0, "the end of all hosts");
  });
});
