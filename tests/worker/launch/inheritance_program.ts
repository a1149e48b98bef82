// deno-lint-ignore-file no-console -- a program for tests, which reads what it prints
/**
 * Starts the probe with and without the launcher, and prints the outputs as JSON. With the argument `kept`, it calls
 * `keepFromJobs` first.
 */
import { keepFromJobs } from "../../../worker/launch/inheritance.ts";
import type { ProcessOptions } from "../../../worker/process/options.ts";
import { Process } from "../../../worker/process/process.ts";
import { MASK_PROBE, PROBE } from "../../support/inheritance_starter.ts";
import { Sink } from "../../support/sink.ts";

const WAYS: readonly ProcessOptions[] = [{}, { rlimits: { coreBytes: 0 } }, { noNewPrivileges: true }];

if (Deno.args[0] === "kept" && !keepFromJobs()) throw new Error("The C library cannot be called");
const outputs: string[] = [];
for (const options of WAYS) {
  const output = new Sink();
  await new Process(...MASK_PROBE, { ...options, output }).start();
  await new Process("sh", ["-c", PROBE], { ...options, output }).start();
  outputs.push(output.text.stdout + output.text.stderr);
}
console.log(JSON.stringify(outputs));
