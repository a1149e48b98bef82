/** Tests of the log lines about a disk that cannot be written. */
import assert from "node:assert/strict";
import { DiskTrouble } from "../../teleportd/disk_trouble.ts";
import { tempDir } from "../support/temp_dir.ts";

const FULL = Object.assign(new Error("database or disk is full"), { code: "ERR_SQLITE_ERROR" });
const NO_SPACE = Object.assign(new Error("No space left on device (os error 28)"), { code: "ENOSPC" });

Deno.test("DiskTrouble logs one line when a disk is full, and one when it is over", () => {
  const lines: string[] = [];
  const note = (line: string) => void lines.push(line);
  let now = 0;
  const trouble = new DiskTrouble({ error: note, info: note, warn: note, debug: note }, { now: () => now });
  trouble.written();
  for (let count = 0; count < 10; count++) {
    assert.ok(trouble.report(FULL) && trouble.report(NO_SPACE));
    now += 5_000;
  }
  trouble.written();
  trouble.written();
  assert.equal(lines.length, 2, lines.join("\n"));
  assert.match(lines[0] ?? "", /^Cannot write to the data directory: database or disk is full; .*free space/);
  assert.equal(lines[1], "The data directory can be written again");
  now += 600_000;
  trouble.report(NO_SPACE);
  assert.equal(lines.length, 3);
});

Deno.test("DiskTrouble leaves every other error to its caller", () => {
  const fail = () => assert.fail("No line");
  const trouble = new DiskTrouble({ error: fail, info: fail, warn: fail, debug: fail });
  for (
    const error of [new Error("is full"), new TypeError("x"), Object.assign(new Error("x"), { code: "EACCES" }), "x"]
  ) {
    assert.equal(trouble.report(error), false);
  }
});

Deno.test("DiskTrouble reports once that a directory is gone, and when it is back", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(`${dir.path}/data`);
  const lines: string[] = [];
  const note = (line: string) => void lines.push(line);
  const gone: boolean[] = [];
  const trouble = new DiskTrouble({ error: note, info: note, warn: note, debug: note }, {
    onGone: (isGone) => void gone.push(isGone),
  });
  trouble.watch(`${dir.path}/data`);
  const missing = new Deno.errors.NotFound("x");
  Object.assign(missing, { code: "ENOENT" });
  assert.equal(trouble.report(missing), false);
  await Deno.rename(`${dir.path}/data`, `${dir.path}/away`);
  assert.ok(trouble.report(missing) && trouble.report(missing));
  trouble.written();
  assert.deepEqual([gone, trouble.isGone], [[true], true]);
  await Deno.rename(`${dir.path}/away`, `${dir.path}/data`);
  trouble.written();
  trouble.written();
  assert.deepEqual([gone, trouble.isGone], [[true, false], false]);
  assert.deepEqual(lines.map((line) => line.slice(0, 30)), [
    "The data directory was deleted",
    "The data directory is back",
  ]);
});
