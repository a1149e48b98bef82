/** Tests for the disk space that the jobs of a supervisor may use. */
import assert from "node:assert/strict";
import { diskLimit } from "../../../worker/supervisor/disk_limit.ts";
import { tempDir } from "../../support/temp_dir.ts";

Deno.test("diskLimit() returns maxOutputBytes, or Infinity when there is no limit or no directory", () => {
  assert.equal(diskLimit({ maxOutputBytes: 7, maxDiskShare: 0.5 }, 100), 7);
  assert.equal(diskLimit({}, 100), Infinity);
  assert.equal(diskLimit({ maxDiskShare: 0.5 }, 100), Infinity);
});

Deno.test("diskLimit() returns a share of the used and the free space", async () => {
  await using directory = await tempDir();
  assert.equal(diskLimit({ maxDiskShare: 0, directory: directory.path }, 1_000), 0);
  const usedBytes = 2 ** 60;
  const limit = diskLimit({ maxDiskShare: 0.5, directory: directory.path }, usedBytes);
  assert.ok(limit >= usedBytes / 2 && limit < usedBytes, `${limit}`);
});
