/** Tests of the disk space that jobs of this machine and placed jobs share. */
import assert from "node:assert/strict";
import { LimitReachedError } from "../../../mod.ts";
import { eventually } from "../../support/deadline.ts";
import { final, stage } from "./placed_fixture.ts";

const MAX_BYTES = 1_000_000;

/** Starts a job of this machine. */
async function startLocal({ supervisor }: Awaited<ReturnType<typeof stage>>, script: string): Promise<string> {
  const id = await supervisor.add("sh", ["-c", script], { engine: "local" });
  await supervisor.start(id);
  return id;
}

Deno.test("a job of this machine gets no disk space that the output of a placed job has taken", async () => {
  await using one = await stage(undefined, { maxOutputBytes: MAX_BYTES, stopsJobs: true });
  const { supervisor } = one;
  await startLocal(one, "exec sleep 600"); // Its host has all the space now.
  const { id } = await one.run("head -c 600000 /dev/zero; exec sleep 600");
  await eventually(async () => (await supervisor.status(id)).stdoutBytes === 600_000, "the output of the placed job");
  const { reason } = await final(supervisor, await startLocal(one, "exec yes"));
  assert.equal(reason, "OUTPUT_LIMIT");
  const { diskBytes } = await supervisor.statistics();
  assert.ok(diskBytes <= MAX_BYTES, `${diskBytes}`);
});

Deno.test("a placed job gets no disk space that the output of a running job of this machine has taken", async () => {
  await using one = await stage(undefined, { maxOutputBytes: MAX_BYTES, stopsJobs: true });
  const { supervisor } = one;
  const local = await startLocal(one, "head -c 600000 /dev/zero; exec sleep 600");
  await eventually(async () => (await supervisor.status(local)).stdoutBytes === 600_000, "the output here");
  const { id } = await one.run("head -c 900000 /dev/zero");
  await eventually(() => one.errors.some((error) => error instanceof LimitReachedError), "the limit");
  const { diskBytes } = await supervisor.statistics();
  assert.ok(diskBytes <= MAX_BYTES, `${diskBytes}`);
  assert.equal((await supervisor.status(id)).state, "RUNNING", "it waits with its output");
});
