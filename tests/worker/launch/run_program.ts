/** Helpers for tests that run programs to their end. */
import assert from "node:assert/strict";
import type { ProcessOptions } from "../../../worker/process/options.ts";
import { Process } from "../../../worker/process/process.ts";
import type { ProcessStatus } from "../../../worker/process/state.ts";
import { Sink } from "../../support/sink.ts";

/** The result of a process. */
export interface Ran {
  readonly status: ProcessStatus;
  readonly stdout: string;
  readonly stderr: string;
  readonly states: readonly string[];
}

/** Runs a program to its end. */
export async function run(command: string, args: readonly string[], options: ProcessOptions): Promise<Ran> {
  const output = new Sink();
  const process = new Process(command, args, { output, ...options });
  const states: string[] = [];
  process.subscribe(({ state }) => states.push(state));
  const status = await process.start();
  return { status, ...output.text, states };
}

/** Runs a shell script to its end. */
export const sh = (script: string, options: ProcessOptions) => run("sh", ["-c", script], options);

/** Asserts that a start failed for a reason, without output. */
export function failed({ status, stdout, stderr }: Ran, errorCode: string, error: RegExp): void {
  assert.ok(status.state === "FAILED", JSON.stringify(status));
  assert.equal(status.errorCode, errorCode);
  assert.match(status.error, error);
  assert.match(status.error, /^[A-Z].*[^.]$/);
  assert.deepEqual({ stdout, stderr }, { stdout: "", stderr: "" });
}
