/** Tests for the process options that a job gets from its supervisor. */
import assert from "node:assert/strict";
import { processOptions } from "../../../worker/supervisor/process_options.ts";

Deno.test("processOptions() denies new privileges unless the supervisor or the job allows them", () => {
  const denied = (job: object, limits: object) => processOptions(job, limits).noNewPrivileges;
  assert.equal(denied({}, {}), false);
  assert.equal(denied({ noNewPrivileges: true }, {}), true);
  assert.equal(denied({}, { newPrivileges: "ON_REQUEST" }), true);
  assert.equal(denied({ allowNewPrivileges: true }, { newPrivileges: "ON_REQUEST" }), false);
});

Deno.test("processOptions() adds inheritable variables only for jobs with inheritEnv", () => {
  const limits = { inheritableEnv: { A: "lent", B: "lent" } };
  assert.deepEqual(processOptions({}, limits, { B: "server" }).baseEnv, { B: "server" });
  assert.deepEqual(processOptions({ inheritEnv: true }, limits, { B: "server" }).baseEnv, { A: "lent", B: "server" });
});
