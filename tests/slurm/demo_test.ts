/** The demo of Slurm as a process: it succeeds, and leaves nothing in the temporary directory. Slow: it brings up a cluster. */
import assert from "node:assert/strict";
import { skippedIf } from "../support/needs.ts";
import { clusterMissing } from "../support/slurm_cluster.ts";
import { tempDir } from "../support/temp_dir.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

Deno.test(skippedIf(clusterMissing(), "the demo of Slurm succeeds"), async () => {
  await using temporary = await tempDir({ mode: 0o755 });
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "tests/demo/slurm.ts"],
    cwd: ROOT,
    env: { TMPDIR: temporary.path, NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert.equal(code, 0, `${out}\n${err}`);
  assert.equal(err, "");
  assert.deepEqual([...Deno.readDirSync(temporary.path)], []);
});
