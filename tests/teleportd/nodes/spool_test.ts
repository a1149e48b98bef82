/** Tests of the directories of node hosts. */
import assert from "node:assert/strict";
import { noteAccepted, openSpool, removeAbandoned } from "../../../teleportd/nodes/spool.ts";
import { StartError } from "../../../teleportd/start_error.ts";
import { tempDir } from "../../support/temp_dir.ts";

const ids = ["a", "b", "c", "d"].map((digit) => digit.repeat(32)) as [string, string, string, string];

function shellProcess() {
  const child = new Deno.Command("sleep", { args: ["600"] }).spawn();
  return {
    pid: child.pid,
    async end() {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}

Deno.test("openSpool() finds the directory of an earlier process that was accepted", async () => {
  await using dir = await tempDir();
  const config = { spool: dir.path, id: ids[0] };
  const first = await openSpool(config, Deno.pid, false);
  assert.equal(first.recovers, false);
  const before = await openSpool(config, Deno.pid, true);
  assert.deepEqual([before.run, before.recovers], [first.run, false], "it was not accepted");
  noteAccepted(before);
  assert.deepEqual(await openSpool(config, Deno.pid, true), { ...first, recovers: true });
  await assert.rejects(openSpool(config, Deno.pid, false), StartError);
});

Deno.test("removeAbandoned() removes what killed shells have left, and nothing else", async () => {
  await using dir = await tempDir();
  const spool = dir.path;
  const shell = shellProcess();
  await openSpool({ spool, id: ids[0] }, shell.pid, false);
  await openSpool({ spool, id: ids[1] }, shell.pid, false);
  const living = await openSpool({ spool, id: ids[2] }, Deno.pid, false);
  await Deno.mkdir(`${spool}/teleport-${ids[3]}-1`);
  await Deno.writeTextFile(`${spool}/teleport-${ids[0]}.err`, "");
  await Deno.writeTextFile(`${spool}/teleport-${ids[1]}.err`, "a reason");
  await shell.end();
  await removeAbandoned(spool);
  const left = [...Deno.readDirSync(spool)].map(({ name }) => name).sort();
  assert.deepEqual(left, [
    `teleport-${ids[1]}.err`,
    `teleport-${ids[2]}-${Deno.pid}`,
    `teleport-${ids[3]}-1`,
  ]);
  assert.equal(living.recovers, false);
  await removeAbandoned(`${spool}/missing`);
});
