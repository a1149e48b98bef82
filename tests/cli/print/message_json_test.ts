/** Messages as JSON. */
import assert from "node:assert/strict";
import { outputJson, rfc3339, statusJson } from "../../../cli/print/message_json.ts";
import { exited, jobStatus, outputOf } from "../../support/cli_messages.ts";

Deno.test("statusJson() has the input of a job with an input, even an empty one", () => {
  const { input, input_bytes, input_closed } = statusJson(jobStatus({ input: true }));
  assert.deepEqual({ input, input_bytes, input_closed }, { input: true, input_bytes: 0, input_closed: false });
});

Deno.test("statusJson() omits absent values of a job that was never started", () => {
  assert.deepEqual(statusJson(jobStatus({ args: ["-x"], labels: { a: "b" } })), {
    id: "job-1",
    state: "INITIAL",
    command: "true",
    args: ["-x"],
    labels: { a: "b" },
    owner: "ada",
    registered_at: "2027-01-15T08:00:00Z",
    timeout_ms: 0,
    stdout_bytes: 0,
    stderr_bytes: 0,
    max_output_bytes: 0,
    dropped_bytes: 0,
  });
});

Deno.test("statusJson() has exit code 0, state and reason without prefix, and times", () => {
  const json = statusJson({
    ...exited(0),
    cwd: "/tmp",
    started_at: { seconds: 1_800_000_001, nanos: 250_000_000 },
    ended_at: { seconds: 1_800_000_002, nanos: 1 },
    stopped_by: "ada",
    timeout_ms: 5,
  });
  assert.deepEqual(
    [json.state, json.reason, json.exit_code, json.pid, json.cwd, json.stopped_by, json.timeout_ms],
    ["EXITED", "EXITED", 0, 4711, "/tmp", "ada", 5],
  );
  assert.equal(json.started_at, "2027-01-15T08:00:01.25Z");
  assert.equal(json.ended_at, "2027-01-15T08:00:02.000000001Z");
  assert.ok(!("signal" in json) && !("error" in json));
});

Deno.test("statusJson() has the signal and no exit code of a killed job", () => {
  const json = statusJson(jobStatus({ state: "STATE_KILLED", signal: "SIGTERM", reason: "REASON_TIMED_OUT" }));
  assert.deepEqual([json.state, json.signal, json.reason], ["KILLED", "SIGTERM", "TIMED_OUT"]);
  assert.ok(!("exit_code" in json));
});

Deno.test("statusJson() has the policy of the output limit without prefix", () => {
  const json = statusJson(jobStatus({ output_policy: "OUTPUT_POLICY_KEEP_NEWEST", max_output_bytes: 9 }));
  assert.deepEqual([json.output_policy, json.max_output_bytes], ["KEEP_NEWEST", 9]);
});

Deno.test("statusJson() has the error and its code of a failed job", () => {
  const json = statusJson(jobStatus({ state: "STATE_FAILED", error: "No", error_code: "CWD_NOT_FOUND" }));
  assert.deepEqual([json.state, json.error, json.error_code], ["FAILED", "No", "CWD_NOT_FOUND"]);
});

Deno.test("outputJson() has the bytes in base64 and the digests in hexadecimal", async () => {
  const messages = await outputOf([["stderr", new Uint8Array([0, 255, 10])]], exited(3));
  const [chunk, end] = messages.with(-1, { ...messages.at(-1)!, cursor: "behind" }).map(outputJson);
  assert.deepEqual(chunk, {
    stream: "STDERR",
    offset: 0,
    time: "2027-01-15T08:00:00.5Z",
    cursor: "c0",
    data: "AP8K",
  });
  assert.equal(end?.cursor, "behind");
  const closing = end?.end as Record<string, unknown>;
  assert.equal(closing.stdout_bytes, 0);
  assert.equal(closing.stderr_bytes, 3);
  assert.equal(closing.dropped_bytes, 0);
  assert.equal(closing.stdout_sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assert.equal((closing.status as Record<string, unknown>).exit_code, 3);
});

Deno.test("outputJson() has only the number of missing bytes of a gap", async () => {
  const [chunk] = await outputOf([["stdout", ""]], exited(0));
  const json = outputJson({ ...chunk!, offset: 7, dropped_bytes: 7 });
  assert.deepEqual([json.stream, json.offset, json.dropped_bytes, "data" in json], ["STDOUT", 7, 7, false]);
});

Deno.test("rfc3339() has the digits of the time", () => {
  assert.equal(rfc3339({ seconds: 0, nanos: 0 }), "1970-01-01T00:00:00Z");
  assert.equal(rfc3339({ seconds: 0, nanos: 123_456_789 }), "1970-01-01T00:00:00.123456789Z");
  assert.equal(rfc3339({ seconds: -1, nanos: 500_000_000 }), "1969-12-31T23:59:59.5Z");
});
