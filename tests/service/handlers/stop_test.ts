/** Stop, Signal and Remove in every state of a job. */
import assert from "node:assert/strict";
import type { JobWorkerClient } from "../../../proto/service.ts";
import type { JobStatus, State } from "../../../proto/teleport/v1/job_worker.ts";
import { all, certificateOf, codeOf, first, startService } from "../../support/service.ts";
import { register, startUp } from "./script_jobs.ts";

const ann = certificateOf("ann", "operator");

async function waitFor(calls: JobWorkerClient, id: string, state: State): Promise<JobStatus> {
  for await (const status of calls.StatusStream({ id })) if (status.state === state) return status;
  throw new Error(`The job never was in state "${state}"`);
}

Deno.test("Stop does nothing, Signal is refused and Remove removes before the start", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const id = await register(calls, "true");
  const status = await calls.Status({ id });
  assert.deepEqual(await calls.Stop({ id }), status);
  await assert.rejects(calls.Signal({ id, signal: "TERM" }), {
    code: "JOB_NOT_RUNNING",
    message: `Job "${id}" is in state "INITIAL", not running: only a running job can be sent a signal`,
  });
  assert.deepEqual(await calls.Status({ id }), status);
  await calls.Remove({ id });
  assert.equal(await codeOf(() => calls.Status({ id })), "JOB_NOT_FOUND");
});

Deno.test("Signal reaches the process group, Remove is refused and Stop ends a running job", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const id = await register(calls, "trap 'echo usr1' USR1; echo up; while :; do sleep 0.01; done");
  await first(calls.Start({ id }));
  // The sleep of the group ends by the signal, and the shell reports that on stderr.
  const output = calls.GetOutput({ id, stream: "STREAM_STDOUT" })[Symbol.asyncIterator]();
  await output.next();
  assert.equal((await calls.Signal({ id, signal: "usr1" })).state, "STATE_RUNNING");
  assert.equal(new TextDecoder().decode((await output.next()).value?.data), "usr1\n");
  await output.return?.();
  await assert.rejects(calls.Remove({ id }), {
    code: "JOB_RUNNING",
    message: `Job "${id}" is in state "RUNNING": stop it first`,
  });
  for (const signal of ["", "SIGNOPE", "0", "65", "-9", "9x", "SIGTERM\0"]) {
    assert.equal(await codeOf(() => calls.Signal({ id, signal })), "INVALID_SIGNAL", signal);
  }
  for (const grace_ms of [3_600_001, 2 ** 40]) {
    assert.equal(await codeOf(() => calls.Stop({ id, grace_ms })), "INVALID_ARGUMENT", `${grace_ms}`);
  }
  assert.equal((await calls.Status({ id })).state, "STATE_RUNNING");
  const final = await calls.Stop({ id });
  assert.deepEqual(
    [final.state, final.signal, final.exit_code, final.reason, final.stopped_by],
    ["STATE_KILLED", "SIGTERM", undefined, "REASON_STOPPED", "ann"],
  );
});

Deno.test("Remove is refused, Signal works and a second Stop joins during a stop", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const id = await register(calls, "trap '' TERM; echo up; while :; do sleep 0.01; done");
  await startUp(calls, id);
  const firstStop = calls.Stop({ id, grace_ms: 60_000 });
  const stopping = await waitFor(calls, id, "STATE_STOPPING");
  assert.deepEqual([stopping.reason, stopping.ended_at], ["REASON_UNSPECIFIED", null]);
  assert.equal(await codeOf(() => calls.Remove({ id })), "JOB_RUNNING");
  const secondStop = service.as(certificateOf("root", "admin")).Stop({ id, grace_ms: 60_000 });
  assert.equal((await calls.Signal({ id, signal: "KILL" })).state, "STATE_STOPPING");
  const final = await firstStop;
  assert.deepEqual(await secondStop, final);
  assert.deepEqual([final.state, final.signal, final.stopped_by], ["STATE_KILLED", "SIGKILL", "ann"]);
});

Deno.test("Stop answers the status, Signal is refused and Remove removes after the end", async () => {
  await using service = startService();
  const calls = service.as(ann);
  for (const make of ["exit 3", "kill -KILL $$"]) {
    const id = await register(calls, make);
    const final = (await all(calls.Start({ id }))).at(-1);
    assert.deepEqual(await calls.Stop({ id, grace_ms: 0 }), final);
    const state = final?.state.slice("STATE_".length);
    await assert.rejects(calls.Signal({ id, signal: "TERM" }), {
      code: "JOB_NOT_RUNNING",
      message: `Job "${id}" is in state "${state}", not running: only a running job can be sent a signal`,
    });
    // An unknown signal is refused before the state: the state may change, the name will not.
    assert.equal(await codeOf(() => calls.Signal({ id, signal: "NOPE" })), "INVALID_SIGNAL");
    assert.deepEqual(await calls.Status({ id }), final);
    await calls.Remove({ id });
    assert.equal(await codeOf(() => calls.Remove({ id })), "JOB_NOT_FOUND");
    assert.deepEqual((await calls.List({})).jobs, []);
  }
});

Deno.test("Stop that races Start ends the job, or finds it not started", async () => {
  await using service = startService();
  const calls = service.as(ann);
  for (let times = 0; times < 10; times++) {
    const id = await register(calls, "exec sleep 1000");
    const [statuses] = await Promise.all([
      all(calls.Start({ id })),
      waitFor(calls, id, "STATE_STARTING").then(() => calls.Stop({ id })),
    ]);
    assert.deepEqual([statuses.at(-1)?.state, statuses.at(-1)?.reason], ["STATE_KILLED", "REASON_STOPPED"]);
  }
});

Deno.test("Status names the user whose signal ended a job", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const id = await register(calls, "echo up; exec sleep 1000");
  await startUp(calls, id);
  await service.as(certificateOf("root", "admin")).Signal({ id, signal: "SIGINT" });
  const final = (await all(calls.StatusStream({ id }))).at(-1);
  assert.deepEqual(
    [final?.state, final?.signal, final?.reason, final?.stopped_by],
    ["STATE_KILLED", "SIGINT", "REASON_SIGNALED", "root"],
  );
});
