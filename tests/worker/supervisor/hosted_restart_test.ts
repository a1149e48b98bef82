/** Tests of jobs that outlive their supervisor, because job hosts run them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type InputChunk, Supervisor, type SupervisorOptions } from "../../../mod.ts";
import { SupervisorClosedError } from "../../../worker/errors.ts";
import { deadline, eventually } from "../../support/deadline.ts";
import { finalStatus } from "../../support/final_status.ts";
import { withDirectory } from "../store/store_fixture.ts";
import { LocalHosts } from "./job_host_fixture.ts";
import { read, startUp } from "./supervisor_fixture.ts";

/** A shell that prints numbers until its input ends, and then the input. */
const COUNTING = ["-c", 'i=0; while [ ! -e "$0" ]; do echo $i; i=$((i+1)); done; echo "$i lines" >&2'];

/** Runs a test with the hosts of a directory, and a function that makes a supervisor for them. */
function withHosts(
  test: (parts: {
    directory: string;
    hosts: LocalHosts;
    supervise: (options?: SupervisorOptions) => Supervisor;
  }) => Promise<void>,
): () => Promise<void> {
  return () =>
    withDirectory(async (directory) => {
      await using hosts = new LocalHosts(directory);
      await test({ directory, hosts, supervise: (options = {}) => new Supervisor({ ...options, directory, hosts }) });
    });
}

/** Gives texts one by one as input. */
async function* chunks(...texts: string[]): AsyncGenerator<InputChunk, void, void> {
  for (const text of texts) yield { data: new TextEncoder().encode(text) };
  await Promise.resolve();
}

Deno.test(
  "a running job continues while supervisors come and go: status, counts, pause, users and every byte of output",
  withHosts(async ({ directory, hosts, supervise }) => {
    const stop = join(directory, "stop");
    let id = "";
    let before;
    {
      await using supervisor = supervise();
      id = await startUp(supervisor, [...COUNTING, stop], { owner: "ann" });
      await supervisor.signal(id, "CONT", { by: "bob" });
      before = await supervisor.pause(id, { by: "ann" });
      const watch = supervisor.watchOutput(id);
      const lost = assert.rejects(Array.fromAsync(watch), SupervisorClosedError);
      const states = assert.rejects(Array.fromAsync(supervisor.watchStatus(id)), SupervisorClosedError);
      await supervisor.close();
      await Promise.all([deadline(lost), deadline(states)]);
    }
    {
      await using supervisor = supervise();
      // Output that was in the pipe at the pause is read after it.
      const status = await supervisor.status(id);
      assert.ok(before !== undefined && status.stdoutBytes >= before.stdoutBytes);
      assert.deepEqual({ ...status, stdoutBytes: before.stdoutBytes }, before);
      assert.deepEqual((await supervisor.list()).jobs.map(({ paused, pausedBy }) => [paused, pausedBy]), [[
        true,
        "ann",
      ]]);
      assert.equal((await supervisor.resume(id)).paused, undefined);
      assert.equal((await supervisor.status(id, { usage: true })).usage === undefined, false);
      const { done } = await supervisor.watchOutput(id).next();
      assert.equal(done, false);
    }
    await using supervisor = supervise();
    assert.equal(hosts.launched, 1);
    const output = read(supervisor.watchOutput(id, { stream: "stdout" }));
    await Deno.writeTextFile(stop, "");
    const { text, end } = await output;
    assert.deepEqual([end.status.state, end.status.pid], ["EXITED", before?.pid]);
    const lines = text.trimEnd().split("\n");
    assert.deepEqual(lines, lines.map((_, index) => `${index}`));
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
    assert.deepEqual(end.stdoutSha256, digest);
    assert.deepEqual(end.status.requestedBy?.signals?.map(({ by, signal }) => [by, signal]), [["bob", "SIGCONT"]]);
    await eventually(async () => (await hosts.current.work()).runningJobs === 0, "the end of the job in its host");
  }),
);

Deno.test(
  "a job that ends without a supervisor has its exact end, and its host forgets it",
  withHosts(async ({ directory, hosts, supervise }) => {
    const stop = join(directory, "stop");
    let id = "";
    {
      await using supervisor = supervise();
      id = await startUp(supervisor, [
        "-c",
        'echo up; while [ ! -e "$0" ]; do sleep 0.01; done; echo end; exit 7',
        stop,
      ]);
    }
    await Deno.writeTextFile(stop, "");
    await eventually(async () => (await hosts.current.work()).runningJobs === 0, "the end of the job");
    await using supervisor = supervise();
    const { text, end } = await read(supervisor.watchOutput(id));
    assert.equal(text, "up\nend\n");
    assert.deepEqual([end.status.state, end.status.exitCode, end.status.reason], ["EXITED", 7, "EXITED"]);
    await supervisor.close();
    assert.deepEqual((await hosts.current.attach({} as never)).length, 0);
  }),
);

Deno.test(
  "the input of a job continues at its byte with the next supervisor",
  withHosts(async ({ supervise }) => {
    let id = "";
    {
      await using supervisor = supervise();
      id = await supervisor.add("cat", [], { input: true });
      await supervisor.start(id);
      assert.equal((await supervisor.writeInput(id, chunks("one ", "two "), { writer: "w", offset: 0 })).bytes, 8);
    }
    await using supervisor = supervise();
    assert.deepEqual((await supervisor.status(id)).input, { bytes: 8, closed: false });
    const rest = async function* (): AsyncGenerator<InputChunk, void, void> {
      yield* chunks("two three");
      yield { end: true };
    };
    // The writer repeats what it does not know to have arrived.
    const result = await supervisor.writeInput(id, rest(), { writer: "w", offset: 4 });
    assert.deepEqual(result, { bytes: 13, closed: true, accepted: 5 });
    assert.equal((await read(supervisor.watchOutput(id))).text, "one two three");
  }),
);

Deno.test(
  "close({ stopJobs: true }) stops the jobs of hosts, and run() does so with the option stopsJobs",
  withHosts(async ({ hosts, supervise }) => {
    let id = "";
    {
      await using supervisor = supervise({ stopsJobs: true });
      id = await startUp(supervisor);
      const ended = new AbortController();
      const run = supervisor.run({ signal: ended.signal });
      ended.abort();
      await deadline(run);
      assert.equal((await supervisor.status(id)).reason, "SHUTDOWN");
    }
    const supervisor = supervise();
    const second = await startUp(supervisor);
    await supervisor.close({ stopJobs: true, graceMs: 5_000 });
    assert.equal((await hosts.current.work()).runningJobs, 0);
    await using last = supervise();
    assert.deepEqual((await last.list()).jobs.map(({ id, reason }) => [id, reason]), [
      [second, "SHUTDOWN"],
      [id, "SHUTDOWN"],
    ]);
  }),
);

Deno.test(
  "a supervisor that starts a new host stays attached to the old one until its last job has ended",
  withHosts(async ({ hosts, supervise }) => {
    let old = "";
    {
      await using supervisor = supervise();
      old = await startUp(supervisor);
    }
    const oldHost = hosts.current;
    hosts.replaceCurrent();
    await using supervisor = supervise({ stopsJobs: true });
    assert.equal((await supervisor.status(old)).state, "RUNNING");
    const young = await startUp(supervisor);
    assert.equal(hosts.launched, 2);
    assert.deepEqual([await oldHost.work(), await hosts.current.work()], [
      { runningJobs: 1, isAttached: true, isRetired: true },
      { runningJobs: 1, isAttached: true, isRetired: false },
    ]);
    assert.equal((await supervisor.stop(old)).state, "EXITED");
    assert.equal(oldHost.isIdle, true);
    assert.equal((await finalStatus(supervisor, old)).state, "EXITED");
    assert.equal((await supervisor.status(young)).state, "RUNNING");
  }),
);
