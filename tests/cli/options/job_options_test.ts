/** Tests of cli/options/job_options.ts. */
import assert from "node:assert/strict";
import { addPair, jobRequest, parseGraceMs, parseTimeoutMs } from "../../../cli/options/job_options.ts";
import { UsageError } from "../../../units/usage_error.ts";

Deno.test("addPair() splits at the first = and keeps the rest", () => {
  const first = addPair("A=b=c", undefined, { name: "--env" });
  assert.deepEqual({ ...addPair("B=", first, { name: "--env" }) }, { A: "b=c", B: "" });
});

Deno.test("addPair() lets the last of one name win", () => {
  assert.deepEqual({ ...addPair("A=2", { A: "1" }, { name: "--env" }) }, { A: "2" });
});

Deno.test("addPair() takes a name that objects have", () => {
  const pairs = addPair("__proto__=x", undefined, { name: "--env" });
  assert.deepEqual(Object.entries(pairs), [["__proto__", "x"]]);
});

for (const text of ["A", "=b", ""]) {
  Deno.test(`addPair() refuses "${text}"`, () => {
    assert.throws(
      () => addPair(text, undefined, { name: "--label" }),
      (error) =>
        error instanceof UsageError && error.message === `Invalid value "${text}" for --label: give NAME=VALUE`,
    );
  });
}

Deno.test("jobRequest() takes command and arguments as they are", () => {
  const args = ["-c", "echo $X", "", " a ", "--", "-d", "ä\n"];
  assert.deepEqual(jobRequest("sh", args, {}), {
    command: "sh",
    args,
    env: {},
    cwd: "",
    labels: {},
    timeout_ms: 0,
    grace_ms: undefined,
  });
});

Deno.test("parseTimeoutMs() refuses 0, parseGraceMs() takes it", () => {
  assert.throws(() => parseTimeoutMs("0s"), UsageError);
  assert.equal(parseGraceMs("0s"), 0);
});

Deno.test("parseTimeoutMs() and parseGraceMs() end where the server's bounds do", () => {
  assert.equal(parseTimeoutMs("596h"), 2_145_600_000);
  assert.throws(() => parseTimeoutMs("597h"), /"597h" for --timeout is out of bounds: give 1ms to 596h$/);
  assert.equal(parseGraceMs("60m"), 3_600_000);
  assert.throws(() => parseGraceMs("61m"), /"61m" for --grace is out of bounds: give 0s to 1h$/);
});
