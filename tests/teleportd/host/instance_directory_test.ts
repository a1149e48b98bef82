/** How others wait for the end of a job host. */
import assert from "node:assert/strict";
import { InstanceDirectory, untilEnd } from "../../../teleportd/host/instance_directory.ts";
import { deadline } from "../../support/deadline.ts";
import { tempDir } from "../../support/temp_dir.ts";

/** Returns the number of open files of this process in a directory. */
function openFilesIn(directory: string): number {
  let count = 0;
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      if (Deno.readLinkSync(`/proc/self/fd/${name}`).startsWith(directory)) count++;
    } catch {
      // The descriptor of the list itself.
    }
  }
  return count;
}

Deno.test("untilEnd() with a limit leaves no descriptor open when the job host lives on", async () => {
  await using dir = await tempDir();
  using host = await InstanceDirectory.create(dir.path, "one");
  const before = openFilesIn(dir.path);
  assert.equal(await untilEnd(host, 20), false);
  assert.equal(openFilesIn(dir.path), before);
});

Deno.test("untilEnd() returns true when the job host ends, with and without a limit", async () => {
  await using dir = await tempDir();
  const host = await InstanceDirectory.create(dir.path, "one");
  const ends = [untilEnd(host, 60_000), untilEnd(host)];
  host[Symbol.dispose]();
  assert.deepEqual(await deadline(Promise.all(ends), "the end of the job host"), [true, true]);
  assert.equal(await untilEnd({ path: `${dir.path}/hosts/two` }, 1), true);
});
