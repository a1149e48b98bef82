/** Job hosts at their bounds: a protocol that nobody knows, a full disk, and the descriptors of 1,000 jobs. */
import assert from "node:assert/strict";
import { eventually } from "../support/deadline.ts";
import { teleportd } from "../support/programs.ts";
import { clientOf } from "../support/server_process.ts";
import { needingDisk, onDisk } from "../support/small_disk.ts";
import { checkPrograms } from "./checks.ts";
import { FAKE_VERSION, FakeHost } from "./fake_host.ts";
import { GatedJobs } from "./gated_jobs.ts";
import { OneJob } from "./one_job.ts";
import { Place } from "./place.ts";
import { descriptorsOf } from "./processes.ts";

const JOBS = 1_000;

/** The jobs that are started at a time. */
const AT_ONCE = 10;

Deno.test("a server leaves the jobs of a job host without a common protocol alone, and names it", async () => {
  await using place = await Place.make();
  const job = await OneJob.start(place);
  await place.kill();
  const [{ name } = { name: "" }] = [...Deno.readDirSync(`${place.data}/hosts`)];
  {
    await using _fake = await FakeHost.replace(`${place.data}/hosts/${name}`);
    await place.start();
    await place.server.says(new RegExp(`job host "${name}".*${FAKE_VERSION}`));
    for (
      const call of [
        () => place.calls.Stop({ id: job.id }),
        () => place.calls.Signal({ id: job.id, signal: "SIGUSR1" }),
        () => place.calls.Pause({ id: job.id }),
      ]
    ) await assert.rejects(call, { status: "UNAVAILABLE", code: "HOST_UNAVAILABLE" });
    assert.equal((await place.calls.Status({ id: job.id })).state, "STATE_RUNNING");
    const { stdout } = await teleportd("host", "ls", "--output", "json", "--data", place.data);
    const listed = stdout.trim().split("\n").map((line) => JSON.parse(line));
    assert.equal(listed.find(({ instance }) => instance === name)?.state, "other-protocol", stdout);
    await job.counts();
    const other = await OneJob.start(place, "other");
    await other.finish();
    await job.counts();
    await place.kill();
  }
  await place.start();
  await job.runs();
  await job.finish();
});

/** Fills a disk for the time of a function. */
async function whileFull(disk: string, action: () => Promise<void>): Promise<void> {
  const ballast = `${disk}/ballast`;
  await Deno.writeFile(ballast, new Uint8Array(20_000_000)).catch(() => {});
  try {
    await action();
  } finally {
    await Deno.remove(ballast);
  }
}

Deno.test({
  ...needingDisk("the ends of jobs are exact when they end on a full disk, without a server and with one"),
  fn: () =>
    onDisk(16, async (disk) => {
      await using place = await Place.make({ disk, args: ["--max-output-total", "1GB"] });
      {
        using jobs = await GatedJobs.start(place, "without", 5, ["exits", "signals"]);
        await whileFull(disk, async () => {
          await place.kill();
          jobs.release("");
          await jobs.gone();
        });
        await place.start();
        await jobs.check(false);
      }
      {
        using jobs = await GatedJobs.start(place, "with", 6, ["exits", "signals"]);
        await whileFull(disk, async () => {
          jobs.release("");
          await jobs.gone();
        });
        await place.kill();
        await place.start();
        await jobs.check(false);
      }
    }),
});

Deno.test({
  ...needingDisk(
    "a server that starts on a full disk says so in one line, and a job that writes then ends for that reason",
  ),
  fn: () =>
    onDisk(8, async (disk) => {
      await using place = await Place.make({ disk });
      const job = await OneJob.start(place);
      await place.kill();
      await whileFull(disk, async () => {
        await place.start();
        let reason = "";
        for await (const status of place.calls.StatusStream({ id: job.id })) reason = status.reason;
        assert.equal(reason, "REASON_OUTPUT_FAILED");
        await place.server.says(/error Cannot write to the data directory: /);
      });
      await place.server.says(/info The data directory can be written again/);
      assert.equal(place.logs.match(/ error |^error /gm)?.length, 1, place.logs);
      assert.ok(!place.logs.includes("Internal error"), place.logs);
    }),
});

Deno.test(`a job host has no connection of a client, and as many descriptors after ${JOBS} jobs as before`, async () => {
  await using place = await Place.make();
  await checkPrograms(place, 1);
  const run = async (count: number) => {
    const numbers = Array.from({ length: count }).values();
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      for (const _ of numbers) {
        const { id } = await place.calls.Register({ command: "true" });
        let state = "";
        for await (const status of place.calls.Start({ id })) state = status.state;
        assert.equal(state, "STATE_EXITED");
      }
    }));
  };
  await run(AT_ONCE);
  const [pid] = place.programs().hosts;
  const before = descriptorsOf(pid!);
  const job = await OneJob.start(place);
  await using stack = new AsyncDisposableStack();
  for (let count = 0; count < 20; count++) {
    const client = stack.use(await clientOf(place.server));
    for await (const _ of client.calls.GetOutput({ id: job.id })) break;
  }
  const during = descriptorsOf(pid!);
  assert.deepEqual([during.network, during.sockets], [0, before.sockets]);
  await run(JOBS);
  await job.finish();
  await eventually(
    () => descriptorsOf(pid!).all <= before.all,
    () => `at most ${before.all} descriptors, not ${descriptorsOf(pid!).all}`,
  );
  assert.equal(before.network, 0);
});
