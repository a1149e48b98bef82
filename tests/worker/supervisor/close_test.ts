/** Tests for the end of a supervisor: its order, what stays readable, and its time limit. */
import assert from "node:assert/strict";
import { Supervisor, SupervisorClosedError } from "../../../mod.ts";
import { Job } from "../../../worker/job/job.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { finalStatus } from "../../support/final_status.ts";

async function withDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  await using temporary = await tempDir();
  const directory = temporary.path;
  await use(directory);
}

/** Makes every timer of at least this length fire at once, and collects the lengths. */
function hurryTimers(minMs: number): { readonly delays: number[] } & Disposable {
  const original = globalThis.setTimeout;
  const delays: number[] = [];
  globalThis.setTimeout = ((handler: () => void, delayMs = 0) => {
    if (delayMs >= minMs) delays.push(delayMs);
    return original(handler, delayMs >= minMs ? 0 : delayMs);
  }) as typeof setTimeout;
  return {
    delays,
    [Symbol.dispose]() {
      globalThis.setTimeout = original;
    },
  };
}

Deno.test("after run() no new work is accepted, and jobs and output can be read until close()", () =>
  withDirectory(async (directory) => {
    await using supervisor = new Supervisor({ directory });
    const ended = await supervisor.add("sh", ["-c", "echo out"]);
    await supervisor.start(ended);
    await finalStatus(supervisor, ended);
    const initial = await supervisor.add("true");
    const abort = new AbortController();
    const served = supervisor.run({ signal: abort.signal });
    abort.abort();
    await served;
    await assert.rejects(supervisor.add("true"), SupervisorClosedError);
    await assert.rejects(supervisor.start(initial), SupervisorClosedError);
    assert.equal((await supervisor.start(ended)).state, "EXITED");
    assert.equal((await supervisor.status(initial)).state, "INITIAL");
    assert.equal((await supervisor.list()).jobs.length, 2);
    let text = "";
    for await (const { data } of supervisor.watchOutput(ended)) text += new TextDecoder().decode(data);
    assert.equal(text, "out\n");
    await supervisor.close();
    for (
      const call of [
        () => supervisor.status(ended),
        () => supervisor.list(),
        () => supervisor.watchOutput(ended, { follow: false }).next(),
        () => supervisor.watchStatus(initial).next(),
        () => supervisor.watchJobs().next(),
        () => supervisor.remove(ended),
        () => supervisor.add("true"),
      ]
    ) await assert.rejects(call, SupervisorClosedError);
  }));

Deno.test("close() stops waiting for a job that nothing ends, and the next supervisor makes it LOST", () =>
  withDirectory(async (directory) => {
    const stuck = new Supervisor({ directory });
    const id = await stuck.add("sleep", ["1000"], { graceMs: 2_000 });
    await stuck.start(id);
    const final = Array.fromAsync(stuck.watchStatus(id));
    const original = Job.prototype.stop;
    // This stands for a process that the kernel holds, so SIGKILL cannot end it.
    Job.prototype.stop = () => new Promise(() => {});
    try {
      using timers = hurryTimers(10_000);
      await stuck.close();
      assert.deepEqual(timers.delays, [12_000]); // The grace period and ten seconds.
    } finally {
      Job.prototype.stop = original;
    }
    await using next = new Supervisor({ directory });
    assert.equal((await next.status(id)).state, "LOST");
    // The first supervisor sees the end now, but does not write to a directory that it no longer owns.
    assert.equal((await final).at(-1)?.state, "KILLED");
    assert.equal((await next.status(id)).state, "LOST");
  }));

Deno.test("close() waits until the output of removed jobs is deleted", () =>
  withDirectory(async (directory) => {
    const supervisor = new Supervisor({ directory, maxJobs: 3 });
    for (let index = 0; index < 10; index++) {
      const id = await supervisor.add("sh", ["-c", "echo out"]);
      await supervisor.start(id);
      await finalStatus(supervisor, id);
    }
    await supervisor.close();
    assert.equal([...Deno.readDirSync(`${directory}/output`)].length, 3);
  }));
