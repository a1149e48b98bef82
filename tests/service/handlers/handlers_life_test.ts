/** Register, Start, StatusStream, Stop, Signal and Remove in every state of a job. */
import assert from "node:assert/strict";
import type { JobWorkerClient } from "../../../proto/service.ts";
import type { JobStatus, State } from "../../../proto/teleport/v1/job_worker.ts";
import { all, certificateOf, codeOf, first, startService, type TestService } from "../../support/service.ts";
import { jobCounts } from "../../support/job_counts.ts";

const MISSING = "01890000-0000-7000-8000-000000000000";
const ann = certificateOf("ann", "operator");

/** Registers a shell script. */
async function register(calls: JobWorkerClient, script: string): Promise<string> {
  return (await calls.Register({ command: "sh", args: ["-c", script] })).id;
}

/** Starts a job and waits for its first output. Its traps are set then. */
async function startUp(calls: JobWorkerClient, id: string): Promise<void> {
  await first(calls.Start({ id }));
  await first(calls.GetOutput({ id }));
}

async function waitFor(calls: JobWorkerClient, id: string, state: State): Promise<JobStatus> {
  for await (const status of calls.StatusStream({ id })) if (status.state === state) return status;
  throw new Error(`The job never was in state "${state}"`);
}

async function noWatchers({ supervisor }: TestService): Promise<void> {
  assert.equal((await jobCounts(supervisor)).watchers, 0);
}

const statesOf = (statuses: readonly JobStatus[]) => statuses.map(({ state }) => state);

Deno.test("Register answers a new id in state INITIAL, and all options of the request", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const before = Math.floor(Date.now() / 1_000);
  const asked = {
    command: "printf",
    args: ["%s", "a b", "", "'\"$\n"],
    cwd: "/tmp",
    labels: { kind: "test", "": "" },
    timeout_ms: 60_000,
    max_output_bytes: 1_000,
    output_policy: "OUTPUT_POLICY_KEEP_NEWEST",
  } as const;
  assert.equal(await codeOf(() => calls.Register({ ...asked, args: [...asked.args] })), "INVALID_ARGUMENT");
  const labels = { kind: "test" };
  const status = await calls.Register({ ...asked, args: [...asked.args], labels, env: { SECRET: "hidden" } });
  const { id, state, owner, registered_at, started_at, ended_at, pid, exit_code, reason } = status;
  assert.equal(state, "STATE_INITIAL");
  assert.equal(owner, "ann");
  assert.deepEqual([started_at, ended_at, pid, exit_code, reason], [null, null, 0, undefined, "REASON_UNSPECIFIED"]);
  assert(registered_at && registered_at.seconds >= before && registered_at.seconds <= before + 60);
  for (const [name, value] of Object.entries({ ...asked, labels })) {
    assert.deepEqual(status[name as keyof JobStatus], value, name);
  }
  // Values of the environment may be secrets, so no answer has them.
  assert(!JSON.stringify(status).includes("hidden"));
  const other = await calls.Register({ command: "true" });
  assert.notEqual(other.id, id);
  assert.deepEqual(await calls.Status({ id }), status);
});

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

Deno.test("Register refuses invalid requests with a sentence, and adds no job", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const refused: [Parameters<JobWorkerClient["Register"]>[0], RegExp][] = [
    [{}, /^'command' must not be empty: name a program to run$/],
    [{ command: "tr\0ue" }, /^Command "tr\\u0000ue" contains a NUL byte/],
    [{ command: "true", args: ["ok", "a\0b"] }, /^Argument 2 "a\\u0000b" contains a NUL byte/],
    [
      { command: "true", args: ["x".repeat(1_048_576)] },
      /^Argument 1 "x{100}…" must have at most 131071 bytes, got 1048576$/,
    ],
    [
      { command: "true", args: Array(16).fill("x".repeat(65_536)) },
      /^Command, arguments and environment must have at most 1048576 bytes, got \d+:/,
    ],
    [{ command: "true", cwd: "tmp" }, /^'cwd' must be an absolute path, got "tmp"$/],
    [{ command: "true", cwd: "/t\0mp" }, /^Working directory "\/t\\u0000mp" contains a NUL byte/],
    [{ command: "true", env: { "A=B": "c" } }, /^The name of an environment variable .*, got "A=B"$/],
    [{ command: "true", env: { "": "c" } }, /^The name of an environment variable .*, got ""$/],
    [{ command: "true", env: { A: "b\0" } }, /contains a NUL byte/],
    [{ command: "true", labels: { "": "a" } }, /^A label must have a name, .*, got "=a"$/],
    [
      { command: "true", timeout_ms: 2 ** 40 },
      /^Timeout must be an integer from 0 to .* milliseconds, got 1099511627776$/,
    ],
    [
      { command: "true", grace_ms: 2 ** 40 },
      /^Grace period must be an integer from 0 to .* milliseconds, got 1099511627776$/,
    ],
    [
      { command: "true", max_output_bytes: 2 ** 52 },
      /^The output limit must be an integer from 1 to \d+, got 4503599627370496$/,
    ],
  ];
  for (const [request, message] of refused) {
    await assert.rejects(calls.Register(request), { code: "INVALID_ARGUMENT", message });
  }
  assert.equal((await jobCounts(service.supervisor)).jobs, 0);
});

Deno.test("every call refuses a missing job with JOB_NOT_FOUND, whatever the id is", async () => {
  await using service = startService();
  const calls = service.as(ann);
  for (const id of ["", "x", MISSING, "../../etc/passwd", "\0", "__proto__", "a".repeat(10_000)]) {
    for (
      const call of [
        () => calls.Status({ id }),
        () => calls.Stop({ id }),
        () => calls.Signal({ id, signal: "TERM" }),
        () => calls.Remove({ id }),
        () => first(calls.Start({ id })),
        () => first(calls.StatusStream({ id })),
        () => first(calls.GetOutput({ id })),
      ]
    ) assert.equal(await codeOf(call), "JOB_NOT_FOUND", id);
  }
});
