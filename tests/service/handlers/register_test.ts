/** The call Register, and the calls on a missing job. */
import assert from "node:assert/strict";
import type { JobWorkerClient } from "../../../proto/service.ts";
import type { JobStatus } from "../../../proto/teleport/v1/job_worker.ts";
import { certificateOf, codeOf, first, startService } from "../../support/service.ts";
import { jobCounts } from "../../support/job_counts.ts";

const MISSING = "01890000-0000-7000-8000-000000000000";
const ann = certificateOf("ann", "operator");

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
