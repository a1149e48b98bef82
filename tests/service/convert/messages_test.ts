/** The conversion of the library's data to messages, and of requests to the library's options. */
import assert from "node:assert/strict";
import { InvalidArgumentError, type JobStatus, type OutputChunk } from "../../../mod.ts";
import type { GetOutputRequest, JobRequest, ListRequest } from "../../../proto/teleport/v1/job_worker.ts";
import { methods } from "../../../rpc/shared/definition.ts";
import { listOptionsOf, statesOf } from "../../../service/convert/job_filters.ts";
import { endMessage, outputMessage, selectionOf } from "../../../service/convert/output.ts";
import { statusMessage } from "../../../service/convert/status.ts";
import { outputLimitOf } from "../../../service/convert/job_options.ts";
import { all, certificateOf, codeOf, startService } from "../../support/service.ts";

const registeredAt = new Date("2026-01-02T03:04:05.678Z");
const TIME = { seconds: 1_767_323_045, nanos: 678_000_000 };
const INITIAL: JobStatus = {
  id: "1",
  state: "INITIAL",
  command: "true",
  args: [],
  labels: {},
  registeredAt,
  timeoutMs: 0,
  stdoutBytes: 0,
  stderrBytes: 0,
  droppedBytes: 0,
};

/** Returns the message that a client receives. */
const received = (status: JobStatus) =>
  methods.Status.responseDeserialize(methods.Status.responseSerialize(statusMessage(status)));

/** A request as a handler gets it. */
const asked = <Request>(call: "Register" | "GetOutput" | "List", fields: Partial<Request>): Request =>
  methods[call].requestDeserialize(methods[call].requestSerialize(fields));

Deno.test("selectionOf() and listOptionsOf() refuse a time that a Timestamp may not have", () => {
  const bad = [[-62_135_596_801, 0], [253_402_300_800, 0], [2 ** 62, 0], [0, -1], [0, 1_000_000_000]];
  for (const [seconds = 0, nanos = 0] of bad) {
    const time = { seconds, nanos };
    for (const field of ["since", "until"] as const) {
      assert.throws(() => selectionOf(asked<GetOutputRequest>("GetOutput", { [field]: time })), named(field));
    }
    for (const field of ["registered_since", "registered_until", "ended_since", "ended_until"] as const) {
      assert.throws(() => listOptionsOf(asked<ListRequest>("List", { [field]: time })), named(field));
    }
  }
  for (const seconds of [-62_135_596_800, 253_402_300_799]) {
    const { since } = selectionOf(asked<GetOutputRequest>("GetOutput", { since: { seconds, nanos: 0 } }));
    assert.equal(since?.getTime(), seconds * 1_000);
  }
});

/** Returns whether an error refuses the field. */
function named(field: string): (error: unknown) => boolean {
  return (error) => error instanceof InvalidArgumentError && error.message.startsWith(`'${field}.`);
}

Deno.test("statusMessage() leaves out the fields that a job without a start does not have", () => {
  const { exit_code, signal, error, reason, started_at, ended_at, pid, stopped_by, registered_at, state } = received(
    INITIAL,
  );
  assert.equal(state, "STATE_INITIAL");
  assert.deepEqual(registered_at, TIME);
  assert.deepEqual([exit_code, signal, error, reason], [undefined, "", "", "REASON_UNSPECIFIED"]);
  assert.deepEqual([started_at, ended_at, pid, stopped_by], [null, null, 0, ""]);
});

Deno.test("statusMessage() distinguishes exit code 0 from no exit code", () => {
  const ended = { startedAt: registeredAt, endedAt: registeredAt, pid: 7, stdoutBytes: 2 ** 40 } as const;
  const exited = received({ ...INITIAL, ...ended, state: "EXITED", exitCode: 0, reason: "EXITED" });
  assert.deepEqual([exited.exit_code, exited.signal, exited.reason], [0, "", "REASON_EXITED"]);
  assert.deepEqual([exited.started_at, exited.ended_at, exited.pid, exited.stdout_bytes], [TIME, TIME, 7, 2 ** 40]);
  const killed = received({
    ...INITIAL,
    ...ended,
    state: "KILLED",
    signal: "SIGKILL",
    reason: "STOPPED",
    stoppedBy: "ann",
  });
  assert.deepEqual(
    [killed.exit_code, killed.signal, killed.reason, killed.stopped_by],
    [undefined, "SIGKILL", "REASON_STOPPED", "ann"],
  );
});

Deno.test("statusMessage() has a name on the wire for every state and reason of the library", () => {
  const states = ["INITIAL", "STARTING", "RUNNING", "STOPPING", "EXITED", "KILLED", "FAILED", "LOST"] as const;
  for (const state of states) assert.equal(received({ ...INITIAL, state }).state, `STATE_${state}`);
  assert.deepEqual(statesOf(states.map((state) => `STATE_${state}` as const)), states);
  const reasons = [
    ...["EXITED", "SIGNALED", "STOPPED", "TIMED_OUT", "OUTPUT_LIMIT", "OUT_OF_MEMORY", "START_FAILED", "LOST"] as const,
    ...["SHUTDOWN", "OUTPUT_FAILED"] as const,
  ];
  for (const reason of reasons) assert.equal(received({ ...INITIAL, reason }).reason, `REASON_${reason}`);
  for (const policy of ["STOP", "KEEP_NEWEST", "BLOCK"] as const) {
    const limited = received({ ...INITIAL, outputLimit: { maxBytes: 5, policy } });
    assert.deepEqual([limited.max_output_bytes, limited.output_policy], [5, `OUTPUT_POLICY_${policy}`]);
  }
});

Deno.test("statusMessage() shares no object with the status", () => {
  const status = { ...INITIAL, args: ["a"], labels: { b: "c" } };
  const message = statusMessage(status);
  assert.notEqual(message.args, status.args);
  assert.notEqual(message.labels, status.labels);
  assert.deepEqual([message.args, message.labels], [["a"], { b: "c" }]);
});

const CHUNK: OutputChunk = {
  stream: "stderr",
  data: new Uint8Array([0, 255, 128]),
  offset: 2 ** 40,
  time: registeredAt,
  clockWentBack: false,
  cursor: "c",
  droppedBytes: 0,
};

Deno.test("outputMessage() returns the same message for the same chunk, and another for another", () => {
  const message = outputMessage(CHUNK);
  assert.equal(outputMessage(CHUNK), message);
  assert.notEqual(outputMessage({ ...CHUNK }), message);
  assert.deepEqual(
    [message.data, message.stream, message.offset, message.time, message.cursor, message.dropped_bytes],
    [CHUNK.data, "STREAM_STDERR", 2 ** 40, TIME, "c", 0],
  );
  assert.equal(outputMessage({ ...CHUNK, stream: "stdout" }).stream, "STREAM_STDOUT");
});

Deno.test("outputMessage() reports a gap by its size without data", () => {
  const gap = outputMessage({ ...CHUNK, data: new Uint8Array(), droppedBytes: 9 });
  assert.deepEqual([gap.data?.length, gap.dropped_bytes], [0, 9]);
});

Deno.test("endMessage() carries totals, digests and the final status", () => {
  const { cursor, end, data } = endMessage({
    cursor: "here",
    stdoutBytes: 1,
    stderrBytes: 2,
    droppedBytes: 3,
    stdoutSha256: new Uint8Array([4]),
    stderrSha256: new Uint8Array([5]),
    status: INITIAL,
  });
  assert.deepEqual([cursor, data], ["here", undefined]);
  assert.deepEqual([end?.stdout_bytes, end?.stderr_bytes, end?.dropped_bytes], [1, 2, 3]);
  assert.deepEqual([end?.stdout_sha256, end?.stderr_sha256], [new Uint8Array([4]), new Uint8Array([5])]);
  assert.equal(end?.status?.id, "1");
});

Deno.test("outputLimitOf() returns no limit without a size, and STOP without a policy", () => {
  const limit = (fields: Partial<JobRequest>) => outputLimitOf(asked("Register", fields));
  assert.equal(limit({}), undefined);
  assert.equal(limit({ output_policy: "OUTPUT_POLICY_BLOCK" }), undefined);
  assert.deepEqual(limit({ max_output_bytes: 5 }), { maxBytes: 5, policy: "STOP" });
  assert.deepEqual(limit({ max_output_bytes: 5, output_policy: "OUTPUT_POLICY_KEEP_NEWEST" }), {
    maxBytes: 5,
    policy: "KEEP_NEWEST",
  });
});

Deno.test("selectionOf() follows by default, and has only the fields of the request", () => {
  const selection = (fields: Partial<GetOutputRequest>) => selectionOf(asked("GetOutput", fields));
  assert.deepEqual(selection({}), { follow: true, exact: false });
  assert.deepEqual(selection({ follow: false, exact_pieces: true }), { follow: false, exact: true });
  assert.deepEqual(
    selection({
      cursor: "c",
      stream: "STREAM_STDERR",
      tail_lines: 0,
      tail_bytes: 0,
      since: TIME,
      until: { seconds: 0, nanos: 0 },
    }),
    {
      follow: true,
      exact: false,
      cursor: "c",
      stream: "stderr",
      tailLines: 0,
      tailBytes: 0,
      since: registeredAt,
      until: new Date(0),
    },
  );
});

// As a client made from a later definition would send it.
const unknown = 99 as never;

Deno.test("knownValue() refuses an unknown value, and names the field", () => {
  const refused: [() => unknown, RegExp][] = [
    [() => statesOf(["STATE_RUNNING", unknown]), /^Unknown state 99: /],
    [
      () => outputLimitOf(asked<JobRequest>("Register", { max_output_bytes: 1, output_policy: unknown })),
      /^Unknown output policy/,
    ],
    [() => selectionOf(asked<GetOutputRequest>("GetOutput", { stream: unknown })), /^Unknown stream 99: /],
  ];
  for (const [convert, message] of refused) {
    assert.throws(convert, (error) => error instanceof InvalidArgumentError && message.test(error.message));
  }
});

Deno.test("every call refuses an unknown value with INVALID_ARGUMENT", async () => {
  await using service = startService();
  const calls = service.as(certificateOf("ann", "operator"));
  const { id } = await calls.Register({ command: "true" });
  for (
    const call of [
      () => calls.List({ states: [unknown] }),
      () => calls.Register({ command: "true", max_output_bytes: 1, output_policy: unknown }),
      () => all(calls.GetOutput({ id, stream: unknown, follow: false })),
    ]
  ) assert.equal(await codeOf(call), "INVALID_ARGUMENT");
});
