/** Tests for the end of what job hosts have left that do not live: when it is done, and the reason when not. */
import assert from "node:assert/strict";
import { endLeftovers } from "../../../teleportd/host/end_leftovers.ts";
import { findInstances, InstanceDirectory } from "../../../teleportd/host/instance_directory.ts";
import { missing, skippedIf } from "../../support/needs.ts";
import { tempDir } from "../../support/temp_dir.ts";

const OTHER = 54_321;

/** Makes the directory of a host that does not live. One that was killed has its socket. */
async function makeDead(data: string, instance: string, wasKilled: boolean): Promise<void> {
  using host = await InstanceDirectory.create(data, instance);
  if (wasKilled) await Deno.writeTextFile(`${host.path}/socket`, "");
}

async function end(data: string): Promise<{ areEnded: boolean; texts: string }> {
  const texts: string[] = [];
  const report = (text: string) => void texts.push(text);
  const areEnded = await endLeftovers(data, await findInstances(data), {
    progress: report,
    stopped: report,
    failed: report,
  });
  return { areEnded, texts: texts.join("\n") };
}

Deno.test("endLeftovers() needs no database when all hosts have stopped in order", async () => {
  await using dir = await tempDir();
  await makeDead(dir.path, "one", false);
  await Deno.writeTextFile(`${dir.path}/jobs.db`, "not a database");
  assert.deepEqual(await end(dir.path), {
    areEnded: true,
    texts: "Job hosts that have stopped in order: 1. The next server stores how their last jobs ended",
  });
});

Deno.test("endLeftovers() makes no database when there never was one", async () => {
  await using dir = await tempDir();
  await makeDead(dir.path, "one", true);
  assert.equal((await end(dir.path)).areEnded, true);
  assert.deepEqual([...Deno.readDirSync(dir.path)].map(({ name }) => name), ["hosts"]);
});

Deno.test("endLeftovers() returns false and gives the reason when the database cannot be used", async () => {
  await using dir = await tempDir();
  await makeDead(dir.path, "one", true);
  await Deno.writeTextFile(`${dir.path}/jobs.db`, "not a database");
  const { areEnded, texts } = await end(dir.path);
  assert.equal(areEnded, false);
  assert.match(
    texts,
    /^Cannot end what is left of the jobs of job hosts that have died \("one"\): The database "jobs\.db" /,
  );
});

Deno.test(skippedIf(missing("root"), "endLeftovers() names the user who may, and changes nothing"), async () => {
  await using dir = await tempDir();
  await makeDead(dir.path, "one", true);
  await Deno.writeTextFile(`${dir.path}/jobs.db`, "");
  await Deno.chown(`${dir.path}/hosts/one`, OTHER, OTHER);
  const two = await end(dir.path);
  assert.equal(two.areEnded, false);
  assert.match(two.texts, /: they ran as user 54321, and the data belong to user 0: start the server and a job host$/);
  await Deno.chown(`${dir.path}/jobs.db`, OTHER, OTHER);
  const other = await end(dir.path);
  assert.equal(other.areEnded, false);
  assert.match(other.texts, /: the data belong to user 54321: repeat the command as that user$/);
  assert.deepEqual([...Deno.readDirSync(dir.path)].map(({ name }) => name).sort(), ["hosts", "jobs.db"]);
});
