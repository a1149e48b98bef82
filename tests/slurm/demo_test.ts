/** The demo of Slurm as a process. Slow: it brings up a cluster. */
import assert from "node:assert/strict";
import { skippedIf } from "../support/needs.ts";
import { clusterMissing } from "../support/slurm_cluster.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

// The runner checks that nothing is left in the temporary directory.
Deno.test(skippedIf(clusterMissing(), "the demo of Slurm succeeds"), async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "tests/demo/slurm.ts"],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert.equal(code, 0, `${out}\n${err}`);
  assert.equal(err, "");
});
