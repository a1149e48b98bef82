/** Tests of rpc/shared/definition.ts: messages have the form of the generated types after encoding and decoding. */
import assert from "node:assert/strict";
import type { JobOutput, JobStatus } from "../../../proto/teleport/v1/job_worker.ts";
import { type Method, methods } from "../../../rpc/shared/definition.ts";
import { someBytes } from "../../support/random.ts";

const asRequest = ({ requestSerialize, requestDeserialize }: Method, message: object) =>
  requestDeserialize(requestSerialize(message));
const asAnswer = ({ responseSerialize, responseDeserialize }: Method, message: object) =>
  responseDeserialize(responseSerialize(message));

Deno.test("an empty message has every field except the optional ones", () => {
  const { command, args, env, timeout_ms, ...job } = asRequest(methods.Register, {});
  assert.deepEqual({ command, args, env, timeout_ms }, { command: "", args: [], env: {}, timeout_ms: 0 });
  assert.equal("grace_ms" in job, false);
  const { id, cursor, stream, ...output } = asRequest(methods.GetOutput, {});
  assert.deepEqual({ id, cursor, stream }, { id: "", cursor: "", stream: "STREAM_UNSPECIFIED" });
  assert.equal("follow" in output, false);
});

Deno.test("an optional field that is set to its default is present", () => {
  assert.deepEqual(asRequest(methods.GetOutput, { follow: false }).follow, false);
  assert.equal(asRequest(methods.Stop, { grace_ms: 0 }).grace_ms, 0);
  assert.equal(asAnswer(methods.Status, { exit_code: 0 }).exit_code, 0);
  assert.equal("exit_code" in asAnswer(methods.Status, {}), false);
});

Deno.test("64-bit numbers are numbers, enums are names, and absent messages are null", () => {
  const status: JobStatus = asAnswer(methods.Status, {
    state: "STATE_KILLED",
    reason: "REASON_STOPPED",
    stdout_bytes: 2 ** 40 + 1,
    started_at: { seconds: 1_800_000_000, nanos: 5 },
    labels: { a: "b", __proto__: "c" },
  });
  assert.equal(status.state, "STATE_KILLED");
  assert.equal(status.reason, "REASON_STOPPED");
  assert.equal(status.stdout_bytes, 2 ** 40 + 1);
  assert.deepEqual(status.started_at, { seconds: 1_800_000_000, nanos: 5 });
  assert.equal(status.ended_at, null);
});

Deno.test("bytes arrive unchanged", () => {
  const data = someBytes(65_536);
  const output: JobOutput = asAnswer(methods.GetOutput, { data, stream: "STREAM_STDERR" });
  assert(output.data instanceof Uint8Array);
  assert.deepEqual(new Uint8Array(output.data), data);
  assert.equal(output.end, null);
});

Deno.test("a map accepts any name as a key", () => {
  const labels = JSON.parse('{"__proto__": "a", "constructor": "b", "": "c"}');
  const arrived = asRequest(methods.Register, { labels }).labels;
  assert.deepEqual(Object.keys(arrived).sort(), ["", "__proto__", "constructor"]);
  assert.equal(({} as Record<string, unknown>)["a"], undefined);
});

Deno.test("responseSerialize() encodes an answer once when it is sent twice", () => {
  const chunk = { data: new Uint8Array(8), cursor: "a" };
  assert.equal(methods.GetOutput.responseSerialize(chunk), methods.GetOutput.responseSerialize(chunk));
  assert.notEqual(methods.GetOutput.responseSerialize({ ...chunk }), methods.GetOutput.responseSerialize(chunk));
});

Deno.test("requestSerialize() encodes a request again after a change", () => {
  const request = { id: "a" };
  const { requestSerialize, requestDeserialize } = methods.Status;
  requestSerialize(request);
  request.id = "b";
  assert.equal(requestDeserialize(requestSerialize(request)).id, "b");
});
