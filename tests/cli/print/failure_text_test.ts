/** The sentence about a job that could not be started. */
import assert from "node:assert/strict";
import { failureText } from "../../../cli/print/failure_text.ts";
import { jobStatus } from "../../support/cli_messages.ts";

function text(command: string, args: string[] = [], error_code = "COMMAND_NOT_FOUND"): string {
  return failureText(jobStatus({ state: "STATE_FAILED", error: "Not found", error_code, command, args }));
}

Deno.test("failureText() advises on a command line that was given as one word", () => {
  assert.equal(
    text("ls -la"),
    "Not found. No shell splits a command: give its arguments apart from each other, or run sh -c 'ls -la'",
  );
  assert.match(text("echo it's | cat"), /sh -c 'echo it'\\''s \| cat'$/);
});

Deno.test("failureText() gives no advice for other failures", () => {
  for (const other of [text("ls"), text("my program", ["-x"]), text(" ls"), text("ls -la", [], "CWD_NOT_FOUND")]) {
    assert.equal(other, "Not found");
  }
  assert.equal(text(`ls ${"x".repeat(1_000)}`), "Not found");
});
