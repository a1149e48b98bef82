/** Tests of the engine against a real Slurm cluster. Slow: it brings up a cluster. */
import assert from "node:assert/strict";
import { EngineRefusedError, EngineUnavailableError, type EngineWord } from "../../worker/engine/engine.ts";
import { SlurmEngine } from "../../worker/engine/slurm/slurm_engine.ts";
import { eventually } from "../support/deadline.ts";
import { skippedIf } from "../support/needs.ts";
import { clusterMissing, slurmCluster } from "../support/slurm_cluster.ts";

const newId = () => crypto.randomUUID().replaceAll("-", "");

Deno.test(
  skippedIf(clusterMissing(), "the engine submits, finds, signals and ends jobs of a real Slurm"),
  async (t) => {
    await using cluster = await slurmCluster();
    const engine = new SlurmEngine({ env: cluster.env });
    const wordOf = async (id: string): Promise<EngineWord | undefined> =>
      (await engine.words()).find((word) => word.id === id);
    const until = (id: string, pattern: RegExp) =>
      eventually(async () => pattern.test((await wordOf(id))?.text ?? ""), `${pattern} of ${id}`);

    await t.step("exit codes and signals are in the words", async () => {
      const [seven, killed] = [newId(), newId()];
      await engine.submit(seven, "#!/bin/sh\nexit 7\n", {});
      await engine.submit(killed, "#!/bin/sh\nkill -9 $$\n", {});
      await until(seven, /^FAILED \(NonZeroExitCode\), exit code 7$/);
      await until(killed, /^FAILED .*signal 9$/);
      assert.equal((await wordOf(seven))?.phase, "ENDED");
    });

    await t.step("TERM reaches the script alone, which ends as it likes", async () => {
      const id = newId();
      const ready = `${cluster.directory}/ready`;
      const script = `#!/bin/sh\ntrap 'exit 3' TERM\n: >${ready}\nsleep 600 & wait\n`;
      const handle = await engine.submit(id, script, {});
      assert.deepEqual(await engine.find(id), [{ id, handle }]);
      await eventually(() => Deno.stat(ready).then(() => true, () => false), "the script");
      assert.match((await wordOf(id))?.node ?? "", /^n[12]$/);
      await engine.cancel({ id, handle }, "TERM");
      await until(id, /exit code 3$/);
    });

    await t.step("a cancel with the number of another job does nothing", async () => {
      const [mine, other] = [newId(), newId()];
      const script = "#!/bin/sh\nexec sleep 600\n";
      await engine.submit(mine, script, {});
      const handle = await engine.submit(other, script, {});
      await engine.cancel({ id: mine, handle }, "KILL");
      await until(other, /^(RUNNING|PENDING|CONFIGURING)/);
      await engine.cancel({ id: mine }, "KILL");
      await until(mine, /^CANCELLED/);
      assert.notEqual((await wordOf(other))?.phase, "ENDED");
      await engine.cancel({ id: other, handle }, "KILL");
      await engine.cancel({ id: newId() }, "TERM");
    });

    await t.step("two submissions of one name are both found", async () => {
      const id = newId();
      await engine.submit(id, "#!/bin/sh\n", {});
      await engine.submit(id, "#!/bin/sh\n", {});
      assert.equal((await engine.find(id)).length, 2);
      assert.deepEqual(await engine.find(newId()), []);
    });

    await t.step("what the cluster cannot do is refused", async () => {
      const refused = { partition: "nosuch" };
      for (const needs of [refused, { constraint: "gpu" }, { memoryBytes: 2 ** 50 }, { constraint: "a&(" }]) {
        await assert.rejects(engine.submit(newId(), "#!/bin/sh\n", needs), EngineRefusedError);
      }
    });

    await t.step("limits are in the submission", async () => {
      const id = newId();
      const needs = { cpus: 1.5, memoryBytes: 100 * 2 ** 20 + 1, runMs: 90_000, partition: "main" };
      const handle = await engine.submit(id, "#!/bin/sh\nexec sleep 600\n", needs);
      const facts = await cluster.run("scontrol", "-o", "show", "job", handle);
      assert.match(facts, / CPUs\/Task=2 /);
      assert.match(facts, / MinMemoryNode=101M /);
      assert.match(facts, / TimeLimit=00:04:00 /);
      await engine.cancel({ id, handle }, "KILL");
    });

    await t.step("the kind of process tracking is a warning", async () => {
      assert.match((await engine.facts()).join(), /proctrack\/linuxproc/);
    });

    await t.step("without a controller every question fails, and none means that a job is gone", async () => {
      await cluster.kill("controller", "SIGKILL");
      const hurried = new SlurmEngine({ env: cluster.env, timeLimitMs: 2_000 });
      await assert.rejects(hurried.submit(newId(), "#!/bin/sh\n", {}), EngineUnavailableError);
      await assert.rejects(hurried.words(), EngineUnavailableError);
      await assert.rejects(hurried.find(newId()), EngineUnavailableError);
      await assert.rejects(hurried.cancel({ id: newId(), handle: "1" }, "TERM"), EngineUnavailableError);
      await cluster.start("controller");
      await cluster.ready();
    });

    await t.step("without munge a submission fails as unavailable", async () => {
      await cluster.kill("munge", "SIGKILL");
      const hurried = new SlurmEngine({ env: cluster.env, timeLimitMs: 5_000 });
      await assert.rejects(hurried.submit(newId(), "#!/bin/sh\n", {}), EngineUnavailableError);
      await cluster.start("munge");
    });

    await t.step("without commands in PATH the engine is unavailable", async () => {
      const lost = new SlurmEngine({ env: { PATH: "/nowhere" } });
      await assert.rejects(lost.words(), EngineUnavailableError);
    });
  },
);
