/** Start and StatusStream in every state of a job. */
import assert from "node:assert/strict";
import type { JobWorkerClient } from "../../../proto/service.ts";
import type { JobStatus, State } from "../../../proto/teleport/v1/job_worker.ts";
import { all, certificateOf, startService, type TestService } from "../../support/service.ts";
import { jobCounts } from "../../support/job_counts.ts";
import { register, startUp } from "./script_jobs.ts";

const ann = certificateOf("ann", "operator");

async function noWatchers({ supervisor }: TestService): Promise<void> {
  assert.equal((await jobCounts(supervisor)).watchers, 0);
}

const statesOf = (statuses: readonly JobStatus[]) => statuses.map(({ state }) => state);

Deno.test("Start streams every change to the final one and closes; StatusStream begins with INITIAL", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const id = await register(calls, "exit 7");
  const watch = calls.StatusStream({ id })[Symbol.asyncIterator]();
  assert.equal((await watch.next()).value?.state, "STATE_INITIAL");
  const started = await all(calls.Start({ id }));
  assert.deepEqual(statesOf(started), ["STATE_STARTING", "STATE_RUNNING", "STATE_EXITED"]);
  const watched: JobStatus[] = [];
  for (let step = await watch.next(); !step.done; step = await watch.next()) watched.push(step.value);
  assert.deepEqual(watched, started);
  const [, running, final] = started;
  assert(running && final && running.pid > 0 && running.started_at !== null && running.ended_at === null);
  assert.deepEqual([final.exit_code, final.signal, final.reason, final.pid], [7, "", "REASON_EXITED", running.pid]);
  assert(final.ended_at !== null);
  await noWatchers(service);
});

Deno.test("Start of a running job streams its status and starts nothing", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const id = await register(calls, "echo up; exec sleep 1000");
  await startUp(calls, id);
  const { pid } = await calls.Status({ id });
  const second = calls.Start({ id })[Symbol.asyncIterator]();
  const { value } = await second.next();
  assert.deepEqual([value?.state, value?.pid], ["STATE_RUNNING", pid]);
  await calls.Stop({ id });
  const rest: State[] = [];
  for (let step = await second.next(); !step.done; step = await second.next()) rest.push(step.value.state);
  assert.deepEqual(rest, ["STATE_STOPPING", "STATE_KILLED"]);
});

Deno.test("Start runs a job once when a hundred calls start it at once", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const id = await register(calls, "echo one");
  const streams = await Promise.all(Array.from({ length: 100 }, () => all(calls.Start({ id }))));
  for (const statuses of streams) assert.deepEqual(statuses.at(-1), streams[0]?.at(-1));
  assert.equal((await calls.Status({ id })).stdout_bytes, 4);
});

Deno.test("Start and StatusStream of an ended job stream its final status and close", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const ways: [string, () => Promise<string>][] = [
    ["STATE_EXITED", () => register(calls, "exit 0")],
    ["STATE_KILLED", () => register(calls, "kill -USR1 $$")],
    ["STATE_FAILED", async () => (await calls.Register({ command: "/nowhere" })).id],
  ];
  for (const [state, make] of ways) {
    const id = await make();
    const final = (await all(calls.Start({ id }))).at(-1);
    assert.equal(final?.state, state);
    assert.deepEqual(await all(calls.Start({ id })), [final]);
    assert.deepEqual(await all(calls.StatusStream({ id })), [final]);
    assert.deepEqual(await calls.Status({ id }), final);
  }
});

Deno.test("Start leaves the job running when its caller leaves", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const id = await register(calls, "echo up; exec sleep 1000");
  await startUp(calls, id);
  await noWatchers(service);
  assert.equal((await calls.Status({ id })).state, "STATE_RUNNING");
});

Deno.test("StatusStream ends at once when its call has ended before", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const id = await register(calls, "true");
  const signal = AbortSignal.abort(new Error("over"));
  await assert.rejects(all(calls.StatusStream({ id }, { signal })), /^Error: over$/);
  await assert.rejects(all(calls.GetOutput({ id }, { signal })), /^Error: over$/);
  await noWatchers(service);
});

Deno.test("StatusStream ends with its call and leaves no watcher", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const id = await register(calls, "true");
  for (const watch of [calls.StatusStream, calls.GetOutput] as const) {
    const over = new AbortController();
    const messages = (watch as typeof calls.StatusStream)({ id }, { signal: over.signal })[Symbol.asyncIterator]();
    if (watch === calls.StatusStream) await messages.next();
    const waiting = messages.next();
    over.abort(new Error("over"));
    await assert.rejects(waiting, /^Error: over$/);
    await noWatchers(service);
  }
  assert.equal((await calls.Status({ id })).state, "STATE_INITIAL");
});

Deno.test("Start of a job that cannot start streams the reason", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const plain = await Deno.makeTempFile();
  const failures: [Parameters<JobWorkerClient["Register"]>[0], string, RegExp][] = [
    [{ command: "no-such-program" }, "COMMAND_NOT_FOUND", /^Command "no-such-program" not found: /],
    [{ command: "/nowhere/program" }, "COMMAND_NOT_FOUND", /^Command "\/nowhere\/program" not found: /],
    [{ command: plain }, "NOT_EXECUTABLE", /is not executable: set its execute bit$/],
    [{ command: "/tmp" }, "NOT_EXECUTABLE", /^Command "\/tmp" is a directory: /],
    [{ command: "true", cwd: "/nowhere" }, "CWD_NOT_FOUND", /^Working directory "\/nowhere" not found: /],
    [{ command: "true", cwd: plain }, "CWD_NOT_FOUND", /is not a directory: /],
  ];
  for (const [request, code, sentence] of failures) {
    const { id } = await calls.Register(request);
    const statuses = await all(calls.Start({ id }));
    assert.deepEqual(statesOf(statuses), ["STATE_STARTING", "STATE_FAILED"]);
    const final = statuses.at(-1);
    assert.deepEqual([final?.error_code, final?.reason, final?.exit_code], [code, "REASON_START_FAILED", undefined]);
    assert.match(final?.error ?? "", sentence);
  }
  await Deno.remove(plain);
});
