/** The checks of job options, value by value. */
import assert from "node:assert/strict";
import type { CgroupLimits } from "../../../base/job_options/cgroup_limits.ts";
import { optionsError } from "../../../base/job_options/check.ts";
import type { Rlimits } from "../../../base/job_options/rlimits.ts";
import type { JobOptionValues } from "../../../base/job_options/table.ts";

const good: readonly JobOptionValues[] = [
  {},
  { timeoutMs: 0, graceMs: 0, umask: 0, nice: -20 },
  { timeoutMs: 2_147_483_647, graceMs: 3_600_000, umask: 0o777, nice: 19 },
  { user: "x".repeat(255), group: "0" },
  { isolation: "PRIVATE", input: true, allowNewPrivileges: false, inheritEnv: true },
  { rlimits: { coreBytes: 0, fileBytes: 0, cpuSeconds: 1, openFiles: 20, processes: 1, addressSpaceBytes: 1_024 } },
  {
    cgroupLimits: {
      maxMemoryBytes: 1_048_576,
      maxCpus: 0.01,
      maxProcesses: 1,
      maxReadBytesPerS: 1,
      maxWriteBytesPerS: 1,
      ioPath: "/",
    },
  },
  { cgroupLimits: { maxMemoryBytes: Number.MAX_SAFE_INTEGER, maxCpus: 65_536, maxProcesses: 4_194_304 } },
  { cgroupLimits: { maxWriteBytesPerS: 1, ioPath: "/" } },
];

for (const options of good) {
  Deno.test(`optionsError() accepts ${JSON.stringify(options).slice(0, 100)}`, () => {
    assert.equal(optionsError(options), undefined);
  });
}

const limits = (cgroupLimits: CgroupLimits) => ({ cgroupLimits });
const rlimits = (rlimits: Rlimits) => ({ rlimits });
/** A value that the types do not allow. */
const wrong = (options: Readonly<Record<string, unknown>>): JobOptionValues => options;

const bad: readonly (readonly [JobOptionValues, string])[] = [
  [{ timeoutMs: -1 }, "Timeout must be an integer from 0 to 2147483647 milliseconds, got -1"],
  [{ timeoutMs: 0.5 }, "Timeout must be an integer from 0 to 2147483647 milliseconds, got 0.5"],
  [{ timeoutMs: 2 ** 31 }, "Timeout must be an integer from 0 to 2147483647 milliseconds, got 2147483648"],
  [{ graceMs: NaN }, "Grace period must be an integer from 0 to 3600000 milliseconds, got NaN"],
  [wrong({ graceMs: "5" }), 'Grace period must be an integer from 0 to 3600000 milliseconds, got "5"'],
  [{ umask: 0o1000 }, "Umask must be an integer from 0o0 to 0o777, got 0o1000"],
  [{ umask: 0.5 }, "Umask must be an integer from 0o0 to 0o777, got 0.5"],
  [{ nice: 20 }, "Niceness must be an integer from -20 to 19, got 20"],
  [{ user: "" }, 'User must be a name or number of the server\'s system, got ""'],
  [{ user: "a:b" }, 'User must be a name or number of the server\'s system, got "a:b"'],
  [{ group: "a\nb" }, 'Group must be a name or number of the server\'s system, got "a\\nb"'],
  [{ group: "a\n" }, 'Group must be a name or number of the server\'s system, got "a\\n"'],
  [{ user: "x".repeat(256) }, `User must be a name or number of the server's system, got "${"x".repeat(100)}…"`],
  [{ user: "\ud83d" }, 'User must be valid Unicode, without halves of surrogate pairs, got "\\ud83d"'],
  [wrong({ user: 0 }), "User must be a string, got 0"],
  [wrong({ isolation: "FULL" }), 'Isolation must be "PRIVATE" or "STRICT", got "FULL"'],
  [wrong({ isolation: "toString" }), 'Isolation must be "PRIVATE" or "STRICT", got "toString"'],
  [wrong({ rlimits: null }), "Limits on processes must be an object, got null"],
  [rlimits({ openFiles: 19 }), "Limit on open files must be an integer from 20 to 9007199254740991, got 19"],
  [rlimits({ cpuSeconds: 0 }), "Limit on processor time must be an integer from 1 to 9007199254740991 seconds, got 0"],
  [
    limits({ maxMemoryBytes: 2 ** 53 }),
    "Memory limit must be an integer from 1048576 to 9007199254740991 bytes, got 9007199254740992",
  ],
  [limits({ maxCpus: 0 }), "Limit on cores must be a number from 0.01 to 65536, got 0"],
  [limits({ maxCpus: NaN }), "Limit on cores must be a number from 0.01 to 65536, got NaN"],
  [limits({ maxProcesses: 1.5 }), "Limit on processes must be an integer from 1 to 4194304, got 1.5"],
  [limits({ maxWriteBytesPerS: 1, ioPath: "data" }), 'Path for disk limits must be an absolute path, got "data"'],
  [
    limits({ maxWriteBytesPerS: 1, ioPath: "/da\0ta" }),
    'Path for disk limits must be an absolute path, got "/da\\u0000ta"',
  ],
  [
    limits({ ioPath: "/" }),
    "Cannot use the path for disk limits alone: give the limit on reading or the limit on writing too",
  ],
];

for (const [options, error] of bad) {
  Deno.test(`optionsError() refuses ${JSON.stringify(options).slice(0, 100)}`, () => {
    assert.equal(optionsError(options), error);
  });
}
