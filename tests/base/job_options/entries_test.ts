/** The table of job options as lists: names, status options and launch steps. */
import assert from "node:assert/strict";
import { CGROUP_AMOUNTS } from "../../../base/job_options/cgroup_limits.ts";
import type { Flag } from "../../../base/job_options/descriptor.ts";
import {
  LAUNCH_STEPS,
  launchedOptions,
  OPTION_ENTRIES,
  STATUS_ENTRIES,
  statusOptions,
} from "../../../base/job_options/entries.ts";

Deno.test("OPTION_ENTRIES has no field and no flag twice", () => {
  const fields = OPTION_ENTRIES.map(([, { field }]) => field);
  assert.equal(new Set(fields).size, fields.length);
  const flags = OPTION_ENTRIES.flatMap(([, option]) => {
    const isPerMember = option.kind === "group" && option.flag === undefined;
    const flagged: readonly { readonly flag?: Flag }[] = isPerMember ? Object.values(option.members) : [option];
    return flagged.map(({ flag }) => flag?.syntax);
  });
  assert.ok(!flags.includes(undefined));
  assert.equal(new Set(flags).size, flags.length);
});

Deno.test("statusOptions() selects the given options that a status has", () => {
  const options = { timeoutMs: 0, graceMs: 5, umask: 0, user: "ann", rlimits: { coreBytes: 0 }, command: "true" };
  assert.deepEqual(statusOptions(options), { timeoutMs: 0, user: "ann", rlimits: { coreBytes: 0 } });
  assert.ok(STATUS_ENTRIES.every(([, { status }]) => status !== undefined));
});

Deno.test("launchedOptions() selects the given options that the launcher's shell applies", () => {
  const options = { umask: 0, nice: 5, user: "ann", rlimits: { coreBytes: 0 }, oomScoreAdj: -1 };
  assert.deepEqual(launchedOptions(options), { umask: 0, rlimits: { coreBytes: 0 }, oomScoreAdj: -1 });
  assert.deepEqual(launchedOptions({}), {});
});

Deno.test("LAUNCH_STEPS sets the limit on address space last, because it can hinder the shell", () => {
  const names = LAUNCH_STEPS.map(({ name }) => name);
  assert.equal(names.at(-1), "addressSpaceBytes");
  assert.equal(new Set(names).size, names.length);
  const values = LAUNCH_STEPS.map(({ valueIn }) => valueIn({ umask: 0o22, rlimits: { openFiles: 64 } }));
  assert.deepEqual(values.filter((value) => value !== undefined).sort((a, b) => a - b), [0o22, 64]);
});

Deno.test("CGROUP_AMOUNTS has every limit that is a number", () => {
  const numbers = ["maxMemoryBytes", "maxCpus", "maxProcesses", "maxReadBytesPerS", "maxWriteBytesPerS"];
  assert.deepEqual(CGROUP_AMOUNTS, numbers);
});
