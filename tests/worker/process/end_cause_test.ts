/** Tests of the cause of a process's end. */
import assert from "node:assert/strict";
import { LimitReachedError } from "../../../worker/errors.ts";
import { FirstCause } from "../../../worker/process/end_cause.ts";

Deno.test("FirstCause.set() keeps the first cause", () => {
  const first = new FirstCause();
  assert.equal(first.cause, undefined);
  first.set({ reason: "STOPPED", by: "ann" });
  first.set({ reason: "TIMED_OUT" });
  assert.deepEqual(first.setByExit({ exitCode: 0 }, 0), { reason: "STOPPED", by: "ann" });
  assert.deepEqual(first.cause, { reason: "STOPPED", by: "ann" });
});

Deno.test("FirstCause.setByExit() returns the cause that the exit status shows", () => {
  assert.deepEqual(new FirstCause().setByExit({ exitCode: 3 }, 1), { reason: "EXITED" });
  assert.deepEqual(new FirstCause().setByExit({ signal: "SIGKILL" }, 0), { reason: "SIGNALED" });
  assert.deepEqual(new FirstCause().setByExit({ signal: "SIGKILL" }, 1), { reason: "OUT_OF_MEMORY" });
  assert.deepEqual(new FirstCause().setByExit({ signal: "SIGTERM" }, 1), { reason: "SIGNALED" });
});

Deno.test("FirstCause.noteSignal() makes the user of the last signal the cause, unless it is forgotten", () => {
  const first = new FirstCause();
  first.noteSignal("SIGHUP", "ann");
  const forget = first.noteSignal("SIGKILL", "bob");
  assert.ok(first.hasSignal);
  assert.deepEqual(first.setByExit({ signal: "SIGKILL" }, 1), { reason: "SIGNALED", by: "bob" });
  const second = new FirstCause();
  second.noteSignal("SIGKILL", "bob")();
  forget();
  assert.equal(second.hasSignal, false);
  assert.deepEqual(second.setByExit({ signal: "SIGKILL" }, 0), { reason: "SIGNALED" });
});

Deno.test("FirstCause.setOutputFailure() distinguishes a limit from a disk that fails", () => {
  const limit = new FirstCause();
  limit.setOutputFailure(new LimitReachedError("Too much"));
  assert.deepEqual(limit.cause, { reason: "OUTPUT_LIMIT", error: "Too much" });
  const disk = new FirstCause();
  disk.setOutputFailure(Object.assign(new Error("x"), { code: "ENOSPC" }));
  assert.deepEqual(disk.cause, {
    reason: "OUTPUT_FAILED",
    error: "The server could not record the output (ENOSPC) and stopped the job",
  });
});
