/** The table of exit codes, on which scripts rely. */
import assert from "node:assert/strict";
import { CertificateFilesError } from "../../cli/certificate_files.ts";
import { errorExitCode, InterruptedError, jobExitCode } from "../../cli/exit_code.ts";
import { SilenceError } from "../../cli/follow/silence.ts";
import { BrokenPipeError } from "../../cli/print/print.ts";
import { UsageError } from "../../units/usage_error.ts";
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import { jobStatus } from "../support/cli_messages.ts";
import { FakeCallError } from "../support/fake_io.ts";

const jobs: [string, Partial<JobStatus>, number][] = [
  ["exited with 0", { state: "STATE_EXITED", exit_code: 0, reason: "REASON_EXITED" }, 0],
  ["exited with 7", { state: "STATE_EXITED", exit_code: 7, reason: "REASON_EXITED" }, 7],
  ["exited with 255", { state: "STATE_EXITED", exit_code: 255, reason: "REASON_EXITED" }, 255],
  ["killed by SIGTERM", { state: "STATE_KILLED", signal: "SIGTERM", reason: "REASON_SIGNALED" }, 143],
  ["killed by SIGKILL", { state: "STATE_KILLED", signal: "SIGKILL", reason: "REASON_STOPPED" }, 137],
  ["killed by SIGINT", { state: "STATE_KILLED", signal: "SIGINT", reason: "REASON_SIGNALED" }, 130],
  ["killed by SIGRTMIN+1", { state: "STATE_KILLED", signal: "SIGRTMIN+1", reason: "REASON_SIGNALED" }, 163],
  ["killed by a signal nobody knows", { state: "STATE_KILLED", signal: "SIGX", reason: "REASON_SIGNALED" }, 1],
  ["timed out and killed", { state: "STATE_KILLED", signal: "SIGTERM", reason: "REASON_TIMED_OUT" }, 124],
  ["timed out, then exited with 0", { state: "STATE_EXITED", exit_code: 0, reason: "REASON_TIMED_OUT" }, 124],
  ["over its output limit", { state: "STATE_KILLED", signal: "SIGKILL", reason: "REASON_OUTPUT_LIMIT" }, 137],
  ["not found", { state: "STATE_FAILED", error_code: "COMMAND_NOT_FOUND", reason: "REASON_START_FAILED" }, 127],
  ["not executable", { state: "STATE_FAILED", error_code: "NOT_EXECUTABLE", reason: "REASON_START_FAILED" }, 126],
  ["without its cwd", { state: "STATE_FAILED", error_code: "CWD_NOT_FOUND", reason: "REASON_START_FAILED" }, 126],
  ["not spawned", { state: "STATE_FAILED", error_code: "SPAWN_FAILED", reason: "REASON_START_FAILED" }, 126],
  ["lost", { state: "STATE_LOST", reason: "REASON_LOST" }, 1],
];
for (const [what, fields, code] of jobs) {
  Deno.test(`jobExitCode() is ${code} for a job ${what}`, () => {
    assert.equal(jobExitCode(jobStatus(fields)), code);
  });
}

const errors: [string, unknown, number][] = [
  ["bad usage", new UsageError("x"), 2],
  ["a reader that left", new BrokenPipeError("x"), 141],
  ["no certificate", new CertificateFilesError("x"), 255],
  ["a server that cannot be reached", new FakeCallError("UNAVAILABLE"), 255],
  [
    "a server that cannot write it down",
    Object.assign(new FakeCallError("UNAVAILABLE"), { code: "NOT_RECORDED" }),
    1,
  ],
  ["a server that goes away", Object.assign(new FakeCallError("UNAVAILABLE"), { code: "SUPERVISOR_CLOSED" }), 255],
  ["a certificate that is refused", new FakeCallError("UNAUTHENTICATED"), 255],
  ["a job that is not there", new FakeCallError("NOT_FOUND"), 1],
  ["a server that has fallen silent", new SilenceError(90_000), 255],
  ["a call that is not allowed", new FakeCallError("PERMISSION_DENIED"), 1],
  ["a call that took too long", new FakeCallError("DEADLINE_EXCEEDED"), 1],
  ["Ctrl-C", new InterruptedError("SIGINT", "x"), 130],
  ["SIGTERM", new InterruptedError("SIGTERM", "x"), 143],
  ["any other error", new Error("x"), 1],
  ["an error with a status that is no text", Object.assign(new Error("x"), { status: 14 }), 1],
  ["what is no error", "x", 1],
];
for (const [what, error, code] of errors) {
  Deno.test(`errorExitCode() is ${code} for ${what}`, () => {
    assert.equal(errorExitCode(error), code);
  });
}
