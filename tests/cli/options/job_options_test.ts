/** jobRequest() and addPair(). */
import assert from "node:assert/strict";
import { addPair, jobRequest } from "../../../cli/options/job_options.ts";
import { UsageError } from "../../../units/usage_error.ts";

Deno.test("addPair() splits at the first = and keeps the rest", () => {
  const first = addPair("A=b=c", undefined, { name: "--env" });
  assert.deepEqual({ ...addPair("B=", first, { name: "--env" }) }, { A: "b=c", B: "" });
});

Deno.test("addPair() keeps the last value of a name", () => {
  assert.deepEqual({ ...addPair("A=2", { A: "1" }, { name: "--env" }) }, { A: "2" });
});

Deno.test("addPair() accepts the name of a property of all objects", () => {
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

Deno.test("jobRequest() keeps the command and its arguments unchanged", () => {
  const args = ["-c", "echo $X", "", " a ", "--", "-d", "ä\n"];
  assert.deepEqual(jobRequest("sh", args, {}), {
    command: "sh",
    args,
    env: {},
    cwd: "",
    labels: {},
  });
});

Deno.test("jobRequest() has the fields of the table for the flags that were given", () => {
  const { user, umask, rlimits, inherit_env } = jobRequest("true", [], {
    user: "nobody",
    umask: 0,
    ulimit: { core_bytes: 0 },
    inheritEnv: true,
  });
  assert.deepEqual({ user, umask, rlimits, inherit_env }, {
    user: "nobody",
    umask: 0,
    rlimits: { core_bytes: 0 },
    inherit_env: true,
  });
});

Deno.test("jobRequest() needs either a command or a template, and a template for parameters", () => {
  const refused: [() => unknown, RegExp][] = [
    [() => jobRequest(undefined, [], {}), /Missing required argument "COMMAND"/],
    [() => jobRequest("sh", [], { template: "t" }), /Unexpected command "sh" with --template/],
    [() => jobRequest("sh", [], { param: { a: "b" } }), /--param needs a template/],
  ];
  for (const [make, sentence] of refused) {
    assert.throws(make, (error) => error instanceof UsageError && sentence.test(error.message));
  }
});
