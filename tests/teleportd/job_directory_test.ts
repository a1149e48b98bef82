/** Tests of teleportd/job_directory.ts. */
import assert from "node:assert/strict";
import { checkJobDirectory } from "../../teleportd/job_directory.ts";
import { tempDir } from "../support/temp_dir.ts";

Deno.test("checkJobDirectory() accepts a directory, and no option", async () => {
  await using dir = await tempDir();
  await checkJobDirectory(dir.path);
  await checkJobDirectory(undefined);
});

Deno.test("checkJobDirectory() refuses a path that is not a directory, with the remedy", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(`${dir.path}/file`, "");
  const refusals = {
    none: "it does not exist; make it, or give another --job-dir",
    file: "it is not a directory; give another --job-dir",
  };
  for (const [name, reason] of Object.entries(refusals)) {
    await assert.rejects(() => checkJobDirectory(`${dir.path}/${name}`), {
      name: "StartError",
      code: "FAILED",
      message: `Cannot use the job directory "${dir.path}/${name}": ${reason}`,
    });
  }
});
