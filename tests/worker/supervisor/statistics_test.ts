/** Tests for the statistics of a supervisor. */
import assert from "node:assert/strict";
import { Supervisor, type SupervisorStatistics } from "../../../mod.ts";
import { isFinalState } from "../../../worker/process/state.ts";
import { eachForm } from "./job_host_fixture.ts";
import { tempDir } from "../../support/temp_dir.ts";

async function run(supervisor: Supervisor, command: string, args: string[]): Promise<string> {
  const id = await supervisor.add(command, args);
  await supervisor.start(id);
  for await (const { state } of supervisor.watchStatus(id)) if (isFinalState(state)) break;
  return id;
}

function total({ jobs }: SupervisorStatistics): number {
  return Object.values(jobs).reduce((sum, count) => sum + count, 0);
}

eachForm("statistics() counts jobs by state, starts, ends by reason, and bytes", async (Supervisor) => {
  await using supervisor = new Supervisor({ closeGraceMs: 100 });
  await run(supervisor, "sh", ["-c", "printf 12345; printf 678 >&2"]);
  await run(supervisor, "sh", ["-c", "kill -KILL $$"]);
  await run(supervisor, "/no/such/command", []);
  await supervisor.add("true");
  const running = await supervisor.add("sh", ["-c", "printf ready; exec sleep 60"]);
  await supervisor.start(running);
  for await (const _ of supervisor.watchOutput(running)) break;
  const now = await supervisor.statistics();
  assert.deepEqual(now.jobs, {
    INITIAL: 1,
    STARTING: 0,
    RUNNING: 1,
    STOPPING: 0,
    EXITED: 1,
    KILLED: 1,
    FAILED: 1,
    LOST: 0,
  });
  assert.equal(now.running, 1);
  assert.equal(now.starts, 4);
  assert.deepEqual(now.ends, { EXITED: 1, SIGNALED: 1, START_FAILED: 1 });
  assert.equal(now.outputBytes, 8 + "ready".length);
  assert.equal(now.maxDiskBytes, Infinity);

  await supervisor.stop(running, { graceMs: 100 });
  const later = await supervisor.statistics();
  assert.equal(later.outputBytes, now.outputBytes);
  assert.deepEqual(later.ends, { ...now.ends, STOPPED: 1 });
  assert.equal(later.running, 0);
  await supervisor.remove(running);
  assert.equal(total(await supervisor.statistics()), 4);
});

eachForm("statistics() counts the jobs of the previous supervisor", async (Supervisor) => {
  await using temporary = await tempDir();
  const directory = temporary.path;
  {
    await using first = new Supervisor({ directory });
    await run(first, "true", []);
    await first.add("true");
  }
  const writesMs: number[] = [];
  await using second = new Supervisor({ directory, onStoreWrite: (durationMs) => writesMs.push(durationMs) });
  const { jobs, starts, diskBytes } = await second.statistics();
  assert.deepEqual([jobs.INITIAL, jobs.EXITED, starts], [1, 1, 0]);
  assert.ok(diskBytes > 0);
  await second.add("true");
  assert.equal(writesMs.length, 1);
  assert.ok(writesMs[0]! >= 0);
});

Deno.test("add() and start() succeed when onStoreWrite throws", async () => {
  await using supervisor = new Supervisor({
    onStoreWrite: () => {
      throw new Error("The report fails");
    },
  });
  assert.equal((await supervisor.status(await run(supervisor, "true", []))).state, "EXITED");
});
