/** Tests for the calls of the supervisor with real jobs: add, start, stop, signal, remove and list. */
import "../../support/plain_start.ts";
import assert from "node:assert/strict";
import {
  InvalidArgumentError,
  InvalidSignalError,
  JobNotFoundError,
  JobNotRunningError,
  JobRunningError,
  LimitReachedError,
  type Supervisor,
} from "../../../mod.ts";
import { defined } from "../../../base/defined.ts";
import { jobCounts } from "../../support/job_counts.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { all, PATIENT, read, startUp, states } from "./supervisor_fixture.ts";
import { finalStatus } from "../../support/final_status.ts";
import { eachForm } from "./job_host_fixture.ts";

const MISSING = "01890000-0000-7000-8000-000000000000";

eachForm("a job goes from add() to its final status", async (Supervisor) => {
  await using supervisor = new Supervisor();
  const id = await supervisor.add("sh", ["-c", "echo hello; exit 7"], { owner: "ann", labels: { kind: "test" } });
  const initial = await supervisor.status(id);
  assert.equal(initial.state, "INITIAL");
  assert.equal(initial.owner, "ann");
  const statuses = supervisor.watchStatus(id);
  assert.equal((await supervisor.start(id)).state, "RUNNING");
  assert.deepEqual(await states(statuses), ["INITIAL", "STARTING", "RUNNING", "EXITED"]);
  const final = await supervisor.status(id);
  assert.equal(final.exitCode, 7);
  assert.equal(final.stdoutBytes, 6);
  assert.ok(final.startedAt && final.endedAt && final.endedAt >= final.startedAt);
  assert.deepEqual(structuredClone(final), final);
  assert.deepEqual(await states(supervisor.watchStatus(id)), ["EXITED"]);
});

eachForm("start() starts nothing when the job runs or has ended", async (Supervisor) => {
  await using supervisor = new Supervisor();
  const id = await startUp(supervisor);
  const { pid } = await supervisor.status(id);
  assert.equal((await supervisor.start(id)).pid, pid);
  const final = await supervisor.stop(id);
  assert.equal(final.state, "EXITED");
  assert.deepEqual(await supervisor.start(id), final);
});

eachForm("start() makes a job FAILED that cannot be started, with empty output", async (Supervisor) => {
  await using supervisor = new Supervisor();
  const id = await supervisor.add("no-such-program");
  const status = await supervisor.start(id);
  const final = await finalStatus(supervisor, id);
  assert.equal(final.state, "FAILED");
  assert.equal(final.errorCode, "COMMAND_NOT_FOUND");
  assert.ok(["STARTING", "FAILED"].includes(status.state));
  const { text, end } = await read(supervisor.watchOutput(id));
  assert.equal(text, "");
  assert.equal(end.status.state, "FAILED");
});

eachForm("stop() returns the status of the job, and stores who requested the stop", async (Supervisor) => {
  await using supervisor = new Supervisor();
  const id = await supervisor.add("sh", PATIENT);
  assert.equal((await supervisor.stop(id)).state, "INITIAL");
  const running = await startUp(supervisor);
  const [first, second] = await Promise.all([supervisor.stop(running, { by: "ann" }), supervisor.stop(running)]);
  assert.deepEqual(first, second);
  assert.equal(first.reason, "STOPPED");
  assert.equal(first.stoppedBy, "ann");
  assert.deepEqual(await supervisor.stop(running, { by: "bob" }), first);
  await assert.rejects(supervisor.stop(running, { graceMs: -1 }), InvalidArgumentError);
});

eachForm("signal() refuses a job that does not run and an unknown signal", async (Supervisor) => {
  await using supervisor = new Supervisor();
  const initial = await supervisor.add("sh", PATIENT);
  await assert.rejects(supervisor.signal(initial, "TERM"), JobNotRunningError);
  await assert.rejects(supervisor.signal(initial, "NOPE"), InvalidSignalError);
  const running = await startUp(supervisor);
  assert.equal((await supervisor.signal(running, "TERM", { by: "ann" })).state, "RUNNING");
  await finalStatus(supervisor, running);
  await assert.rejects(supervisor.signal(running, "TERM"), JobNotRunningError);
});

eachForm("every call throws JobNotFoundError when the job does not exist", async (Supervisor) => {
  await using supervisor = new Supervisor();
  for (
    const call of [
      () => supervisor.start(MISSING),
      () => supervisor.stop(MISSING),
      () => supervisor.signal(MISSING, "TERM"),
      () => supervisor.status(MISSING),
      () => supervisor.remove(MISSING),
      () => all(supervisor.watchStatus(MISSING)),
      () => all(supervisor.watchOutput(MISSING)),
    ]
  ) await assert.rejects(call, JobNotFoundError);
});

eachForm("remove() removes a job and its output, unless the job runs", async (Supervisor) => {
  await using temporary = await tempDir();
  const directory = temporary.path;
  {
    await using supervisor = new Supervisor({ directory });
    const running = await startUp(supervisor);
    await assert.rejects(supervisor.remove(running), JobRunningError);
    await supervisor.stop(running);
    await supervisor.remove(running);
    await assert.rejects(supervisor.status(running), JobNotFoundError);
    const initial = await supervisor.add("true");
    const watching = [all(supervisor.watchStatus(initial)), all(supervisor.watchOutput(initial))];
    const rejected = Promise.all(watching.map((watch) => assert.rejects(watch, JobNotFoundError)));
    await supervisor.remove(initial);
    await rejected;
    assert.deepEqual([...Deno.readDirSync(`${directory}/output`)], []);
  }
});

eachForm("list() filters jobs, and returns pages from the newest to the oldest", async (Supervisor) => {
  await using supervisor = new Supervisor();
  const ids: string[] = [];
  for (let index = 0; index < 25; index++) {
    const owner = index % 2 === 0 ? "ann" : "bob";
    ids.push(
      await supervisor.add("true", [], { owner, labels: { parity: String(index % 2), third: String(index % 3) } }),
    );
  }
  for (const id of ids.slice(0, 5)) await supervisor.start(id);
  for (const id of ids.slice(0, 5)) await finalStatus(supervisor, id);
  const idsOf = async (filter: Parameters<Supervisor["list"]>[0]) => {
    const found: string[] = [];
    let pageToken: string | undefined;
    do {
      const page = await supervisor.list({ ...filter, ...defined({ pageToken }) });
      assert.ok(page.jobs.length <= (filter?.pageSize ?? 100));
      found.push(...page.jobs.map(({ id }) => id));
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined);
    return found;
  };
  const newest = ids.toReversed();
  assert.deepEqual(await idsOf({}), newest);
  for (const pageSize of [1, 4, 24, 25, 1_000]) assert.deepEqual(await idsOf({ pageSize }), newest, `${pageSize}`);
  assert.deepEqual(await idsOf({ states: ["EXITED"] }), ids.slice(0, 5).toReversed());
  assert.equal((await idsOf({ owner: "ann", pageSize: 3 })).length, 13);
  assert.equal((await idsOf({ labels: { parity: "1", third: "2" } })).length, 4);
  assert.deepEqual(await idsOf({ labels: { nothing: "1" } }), []);
  await assert.rejects(supervisor.list({ pageSize: 0 }), InvalidArgumentError);
  await assert.rejects(supervisor.list({ pageToken: "garbage" }), InvalidArgumentError);
});

eachForm("add() refuses a job above maxJobs", async (Supervisor) => {
  await using supervisor = new Supervisor({ maxJobs: 2 });
  const id = await supervisor.add("true");
  await supervisor.add("true");
  await assert.rejects(supervisor.add("true"), LimitReachedError);
  await supervisor.remove(id);
  await supervisor.add("true");
});

eachForm("add() keeps at most maxJobs of many concurrent calls", async (Supervisor) => {
  await using supervisor = new Supervisor({ maxJobs: 3 });
  const all = await Promise.allSettled(Array.from({ length: 10 }, () => supervisor.add("true")));
  assert.equal(all.filter(({ status }) => status === "fulfilled").length, 3);
  assert.equal((await jobCounts(supervisor)).jobs, 3);
});

eachForm("add() copies its arguments", async (Supervisor) => {
  await using supervisor = new Supervisor();
  const args = ["-c", 'echo "$WORD"'];
  const env = { WORD: "first" };
  const id = await supervisor.add("sh", args, { env });
  args[1] = "exit 9";
  env.WORD = "second";
  await supervisor.start(id);
  assert.equal((await read(supervisor.watchOutput(id))).text, "first\n");
});

eachForm("list() refuses invalid page tokens and page sizes", async (Supervisor) => {
  await using supervisor = new Supervisor();
  const id = await supervisor.add("true");
  for (const pageToken of ["", "x", `${id} `, id.toUpperCase(), id.slice(1), "\0", "x".repeat(1_000_000)]) {
    await assert.rejects(supervisor.list({ pageToken }), (error) => {
      assert.ok(error instanceof InvalidArgumentError);
      assert.ok(error.message.length < 500);
      return true;
    });
  }
  for (const pageSize of [0, -1, 1.5, NaN, 1_001]) {
    await assert.rejects(supervisor.list({ pageSize }), InvalidArgumentError, `${pageSize}`);
  }
  // A token stays valid when its last job is removed.
  const second = await supervisor.add("true");
  const { nextPageToken } = await supervisor.list({ pageSize: 1 });
  assert.ok(nextPageToken);
  await supervisor.remove(second);
  assert.deepEqual((await supervisor.list({ pageToken: nextPageToken })).jobs.map((job) => job.id), [id]);
  // A token is valid only for its own list.
  for (
    const other of [{ owner: "ann" }, { orderBy: "endedAt" }, { ascending: true }, { states: ["EXITED"] }] as const
  ) {
    await assert.rejects(supervisor.list({ ...other, pageToken: nextPageToken }), InvalidArgumentError);
  }
});
