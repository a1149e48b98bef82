/** Kills of the controller of a real Slurm, which then forgets jobs, runs them twice, and gives their numbers again. Slow. */
import assert from "node:assert/strict";
import { eventually } from "../../support/deadline.ts";
import { skippedIf } from "../../support/needs.ts";
import { clusterMissing } from "../../support/slurm_cluster.ts";
import { run } from "../../support/small_disk.ts";
import { nodeHosts } from "../../support/slurm_gateway.ts";
import { FaultPlace } from "./fault_place.ts";

Deno.test(skippedIf(clusterMissing(), "a job runs once whenever the controller is killed"), async (t) => {
  await using place = await FaultPlace.make();
  const { cluster } = place;

  await t.step("right after the answer of sbatch, and its number goes to the next job", async () => {
    // The controller is killed before it saves anything more, because its earlier state is put back.
    const [state, saved] = [`${cluster.directory}/state`, `${place.dir}/state`];
    await run("cp", "-a", state, saved);
    const nodes = ["n1", "n2"] as const;
    for (const node of nodes) await cluster.kill(node, "SIGKILL"); // No node gets a job meanwhile.
    const stopped = await place.run("exit 2");
    const answered = `${place.dir}/answered`;
    await using sbatch = await place.replace(
      "sbatch",
      `"$REAL" "$@" >${answered}.new || exit\nkill -9 $(cat ${cluster.directory}/controller.pid)\n` +
        `mv ${answered}.new ${answered}\ncat ${answered}`,
    );
    const job = await place.run("echo mine; exit 3");
    const numbers = [(await stopped.status()).placement?.handle, (await Deno.readTextFile(answered)).trim()];
    await sbatch[Symbol.asyncDispose]();
    await cluster.kill("controller", "SIGKILL");
    await run("rm", "-r", state);
    await run("mv", saved, state);
    for (const daemon of ["controller", ...nodes] as const) await cluster.start(daemon);
    await cluster.ready();
    const submit = () => cluster.run("sbatch", "--parsable", "--output=/dev/null", "--wrap=sleep 10; exit 7");
    const others = [(await submit()).trim(), (await submit()).trim()];
    assert.deepEqual(others, numbers, "the numbers are given again");
    await place.calls.Stop({ id: stopped.id });
    assert.deepEqual([(await stopped.final()).reason, stopped.starts], ["REASON_STOPPED", 0]);
    await job.exits(3, "mine\n");
    for (const other of others) {
      let facts = "";
      await eventually(
        async () =>
          / JobState=(FAILED|COMPLETED|CANCELLED) /.test(
            facts = await cluster.run("scontrol", "-o", "show", "job", other),
          ),
        "the end of a job of somebody else",
      );
      assert.match(facts, / JobState=FAILED .* ExitCode=7:0 /, "nobody has cancelled it");
    }
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
