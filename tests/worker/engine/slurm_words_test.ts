/** Tests of the parsers of squeue(1) and sinfo(1). The lines are those of Slurm 22.05. */
import assert from "node:assert/strict";
import { readSilentNodes, readWords, withNodeAnswers } from "../../../worker/engine/slurm/words.ts";

const ID = "0123456789abcdef".repeat(2);
const NAME = `teleport-${ID}`;
const read = (line: string) => readWords(`${line}\n`);

Deno.test("readWords() reads a job that waits, runs, and ended in several ways", () => {
  assert.deepEqual(read(`12|PENDING|0||Resources|${NAME}|`), [
    { id: ID, handle: "12", phase: "QUEUED", text: "PENDING (Resources)" },
  ]);
  assert.deepEqual(read(`12|RUNNING|0|n1|None|${NAME}|`), [
    { id: ID, handle: "12", phase: "PLACED", text: "RUNNING", node: "n1" },
  ]);
  assert.deepEqual(read(`12|FAILED|256|n1|NonZeroExitCode|${NAME}|/tmp/${NAME}.err: deno: not found`), [
    {
      id: ID,
      handle: "12",
      phase: "ENDED",
      text: "FAILED (NonZeroExitCode), exit code 1",
      node: "n1",
      stderr: `/tmp/${NAME}.err: deno: not found`,
    },
  ]);
  assert.equal("stderr" in (read(`12|RUNNING|0|n1|None|${NAME}|(null)`)[0] ?? {}), false);
  const text = (line: string) => read(line).map((word) => `${word.phase} ${word.text}`).join();
  assert.equal(text(`2|FAILED|1792|n2|NonZeroExitCode|${NAME}|`), "ENDED FAILED (NonZeroExitCode), exit code 7");
  assert.equal(
    text(`2|FAILED|9|n2|RaisedSignal:9(Killed)|${NAME}|`),
    "ENDED FAILED (RaisedSignal:9(Killed)), signal 9",
  );
  assert.equal(text(`2|COMPLETED|0|n2|None|${NAME}|`), "ENDED COMPLETED");
  assert.equal(text(`2|COMPLETING|0|n2|None|${NAME}|`), "PLACED COMPLETING");
  assert.equal(text(`2|A_STATE_OF_LATER|0|n2|None|${NAME}|`), "PLACED A_STATE_OF_LATER");
});

Deno.test("withNodeAnswers() tells whether the node of a lost job answers", () => {
  const answers = (line: string, ...silent: string[]) =>
    withNodeAnswers(read(line), new Set(silent)).map(({ phase, nodeAnswers }) => [phase, nodeAnswers]);
  const line = `3|NODE_FAIL|0|n1|None|${NAME}|`;
  assert.deepEqual(answers(line, "n1"), [["NODE_LOST", false]]);
  assert.deepEqual(answers(line, "n2"), [["NODE_LOST", true]]);
  assert.deepEqual(answers(`3|NODE_FAIL|0||None|${NAME}|`), [["NODE_LOST", false]]);
  assert.deepEqual(answers(`3|RUNNING|0|n1|None|${NAME}|`, "n1"), [["PLACED", undefined]]);
});

Deno.test("readWords() leaves out jobs of others, and lines that are none", () => {
  const others = [
    "4|RUNNING|0|n1|None|sbatch|",
    `4|RUNNING|0|n1|None||x|${NAME}`,
    `4|RUNNING|0|n1|None|${NAME}x|`,
    "",
    "slurm_load_jobs error",
    NAME,
  ];
  for (const line of others) assert.deepEqual(read(line), [], line);
});

Deno.test("readWords() reads a job whatever its comment is, and takes only that of our script", () => {
  const words = (comment: string) => read(`12|RUNNING|0|n1|None|${NAME}|${comment}`);
  const word = { id: ID, handle: "12", phase: "PLACED", text: "RUNNING", node: "n1" };
  // A cluster may give all jobs a comment. Slurm prints it as it is.
  assert.deepEqual(words("a | b\n7|FAILED|256|n1|c\n"), [word]);
  const stderr = `/tmp/${NAME}.err: a | b`;
  assert.deepEqual(words(stderr), [{ ...word, stderr }]);
});

Deno.test("readSilentNodes() finds the nodes with an asterisk", () => {
  assert.deepEqual([...readSilentNodes("n1|idle\nn2|down*\nn3|mixed*\n")], ["n2", "n3"]);
});
