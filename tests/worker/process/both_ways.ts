/** Helpers for tests that run with and without a cgroup. */
import assert from "node:assert/strict";
import type { CgroupTree } from "../../../worker/cgroup/tree.ts";
import type { ProcessOptions } from "../../../worker/process/options.ts";
import { Process } from "../../../worker/process/process.ts";
import { readEntry } from "../../../worker/linux/procfs.ts";
import type { ExitReport, ProcessStatus } from "../../../worker/process/state.ts";
import { cgroupTest } from "../../support/cgroups.ts";
import { Sink } from "../../support/sink.ts";

/** Makes a process that runs a script. */
export type Sh = (script: string, options?: ProcessOptions) => { process: Process; output: Sink };

/** Returns a process that runs a script, and its output. */
export function sh(script: string, options: ProcessOptions = {}): ReturnType<Sh> {
  const output = new Sink();
  return { process: new Process("sh", ["-c", script], { output, ...options }), output };
}

/** Adds a test twice: for jobs without a cgroup, and for jobs in cgroups, if the host allows them. */
export function bothTest(name: string, run: (sh: Sh, cgroups?: CgroupTree) => Promise<void>): void {
  Deno.test(`${name}, without a cgroup`, () => run(sh));
  cgroupTest(`${name}, in a cgroup`, async (cgroups) => {
    let count = 0;
    const made = (script: string, options: ProcessOptions = {}) =>
      sh(script, { cgroup: () => cgroups.create(`job-${++count}`, {}, "/"), ...options });
    await run(made, cgroups);
  });
}

/** Returns the exit report of an ended process. */
export function exitReportOf(status: ProcessStatus): ExitReport {
  assert.ok(status.state === "EXITED" || status.state === "KILLED", status.state);
  assert.ok(status.exitReport !== undefined);
  return status.exitReport;
}

/** Returns true if a process lives. */
export function runs(pid: number): boolean {
  return readEntry(pid)?.zombie === false;
}

/** A script that uses processor time. */
export const BURN = "i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done";
