/** Tests for the limits of a supervisor: checks, defaults and maximums. */
import assert from "node:assert/strict";
import { InvalidArgumentError } from "../../../worker/errors.ts";
import { applyLimits, checkLimits } from "../../../worker/supervisor/job_limits.ts";

Deno.test("applyLimits() prefers the job, then the default, then the maximum", () => {
  const limits = { defaultLimits: { timeoutMs: 5 }, maxLimits: { timeoutMs: 9, rlimits: { openFiles: 20 } } };
  assert.deepEqual(applyLimits({ nice: 1 }, limits), { nice: 1, timeoutMs: 5, rlimits: { openFiles: 20 } });
  assert.equal(applyLimits({ timeoutMs: 7 }, limits).timeoutMs, 7);
  assert.equal(applyLimits({ timeoutMs: 0 }, limits).timeoutMs, 5, "0 means no timeout of its own");
  assert.deepEqual(applyLimits({}, {}), {});
});

Deno.test("applyLimits() applies defaults and maximums to limits of cgroups", () => {
  const limits = {
    defaultLimits: { cgroupLimits: { maxCpus: 1 } },
    maxLimits: { cgroupLimits: { maxMemoryBytes: 2 ** 30, maxCpus: 2, maxProcesses: 10, maxReadBytesPerS: 5 } },
  };
  assert.deepEqual(applyLimits({}, limits).cgroupLimits, {
    maxMemoryBytes: 2 ** 30,
    maxCpus: 1,
    maxProcesses: 10,
    maxReadBytesPerS: 5,
  });
  const requested = { cgroupLimits: { maxCpus: 2, maxMemoryBytes: 2 ** 20, ioPath: "/" } };
  assert.deepEqual(applyLimits(requested, limits).cgroupLimits, {
    maxMemoryBytes: 2 ** 20,
    maxCpus: 2,
    maxProcesses: 10,
    maxReadBytesPerS: 5,
    ioPath: "/",
  });
  for (
    const [cgroupLimits, message] of [
      [{ maxMemoryBytes: 2 ** 30 + 1 }, /memory limit must be at most 1 GiB on this server, got 1073741825 bytes$/],
      [{ maxCpus: 2.5 }, /cores .* at most 2 .* got 2.5$/],
      [{ maxProcesses: 11 }, /limit on processes .* got 11$/],
      [{ maxReadBytesPerS: 6 }, /limit on reading must be at most 5 bytes on this server, got 6 bytes$/],
    ] as const
  ) assert.throws(() => applyLimits({ cgroupLimits }, limits), message);
  assert.equal("cgroupLimits" in applyLimits({}, {}), false);
});

Deno.test("applyLimits() names durations and sizes as people write them", () => {
  const maxLimits = { timeoutMs: 7_200_000, rlimits: { cpuSeconds: 90, addressSpaceBytes: 500_000_000 } };
  for (
    const [options, message] of [
      [{ timeoutMs: 10_800_000 }, "The timeout must be at most 2h on this server, got 3h"],
      [{ rlimits: { cpuSeconds: 91 } }, "The limit on processor time must be at most 1m30s on this server, got 1m31s"],
      [
        { rlimits: { addressSpaceBytes: 2 ** 30 } },
        "The limit on address space must be at most 500 MB on this server, got 1 GiB",
      ],
    ] as const
  ) assert.throws(() => applyLimits(options, { maxLimits }), { name: "InvalidArgumentError", message });
});

Deno.test("checkLimits() refuses a default that exceeds its maximum", () => {
  const limits = { defaultLimits: { rlimits: { openFiles: 30 } }, maxLimits: { rlimits: { openFiles: 20 } } };
  assert.throws(() => checkLimits(limits), InvalidArgumentError);
  checkLimits({ ...limits, maxLimits: {} });
});

Deno.test("checkLimits() refuses numbers of running jobs below 1", () => {
  for (const maxRunning of [0, -1, 1.5, NaN]) {
    assert.throws(() => checkLimits({ maxRunning }), { message: /must be an integer from 1, got/ });
  }
});
