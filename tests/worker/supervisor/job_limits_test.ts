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
      [{ maxMemoryBytes: 2 ** 30 + 1 }, /memory limit .* got 1073741825$/],
      [{ maxCpus: 2.5 }, /cores .* at most 2 .* got 2.5$/],
      [{ maxProcesses: 11 }, /limit on processes .* got 11$/],
      [{ maxReadBytesPerS: 6 }, /limit on reading .* got 6$/],
    ] as const
  ) assert.throws(() => applyLimits({ cgroupLimits }, limits), message);
  assert.equal("cgroupLimits" in applyLimits({}, {}), false);
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
