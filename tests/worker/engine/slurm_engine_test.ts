/** Tests of the words of Slurm, with other programs in the place of its client commands. */
import assert from "node:assert/strict";
import { SlurmEngine } from "../../../worker/engine/slurm/slurm_engine.ts";
import { tempDir } from "../../support/temp_dir.ts";

const [KNOWN, AWAY, BACK] = ["a", "b", "c"].map((digit) => digit.repeat(32)) as [string, string, string];

/** Makes an engine whose cluster knows one job. Node n1 answers, and n2 does not. */
async function engineIn(dir: string) {
  const commands = {
    squeue: `echo "7|RUNNING|0|n1|None|teleport-${KNOWN}|"`,
    sinfo: `echo asked >>${dir}/asked; printf 'n1|idle\\nn2|down*\\n'`,
  };
  for (const [name, script] of Object.entries(commands)) {
    await Deno.writeTextFile(`${dir}/${name}`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  return new SlurmEngine({ env: { PATH: `${dir}:/usr/bin:/bin` } });
}

Deno.test("words() asks about the node of a job that has begun and that Slurm has forgotten", async () => {
  await using dir = await tempDir();
  const engine = await engineIn(dir.path);
  const begun = [{ id: KNOWN, node: "n1" }, { id: AWAY, node: "n2" }, { id: BACK, node: "n1" }];
  const words = await engine.words(begun);
  const facts = words.map(({ id, phase, node, nodeAnswers }) => [id, phase, node, nodeAnswers]);
  assert.deepEqual(facts, [
    [KNOWN, "PLACED", "n1", undefined],
    [AWAY, "NODE_LOST", "n2", false],
    [BACK, "NODE_LOST", "n1", true],
  ]);
  assert.equal(words[1]?.text, "it does not know the job");
});

Deno.test("words() does not ask about nodes when Slurm knows all jobs that have begun", async () => {
  await using dir = await tempDir();
  const engine = await engineIn(dir.path);
  assert.equal((await engine.words([{ id: KNOWN, node: "n1" }])).length, 1);
  assert.equal((await engine.words()).length, 1);
  await assert.rejects(Deno.stat(`${dir.path}/asked`), Deno.errors.NotFound);
});
