/** Tests of units/ulimit.ts and of the other options about as whom a job runs. */
import assert from "node:assert/strict";
import { jobRequest, parseNice, parseUmask } from "../../cli/options/job_options.ts";
import { addUlimit, ulimitText } from "../../units/ulimit.ts";
import { UsageError } from "../../units/usage_error.ts";

Deno.test("addUlimit() reads each limit in its unit, and the last of one name wins", () => {
  const all = ["as=2G", "core=0", "cpu=90s", "fsize=500k", "nofile=1", "nproc=999999999", "nofile=64"];
  const rlimits = all.reduce<ReturnType<typeof addUlimit> | undefined>(
    (before, text) => addUlimit(text, before),
    undefined,
  );
  assert.deepEqual(rlimits, {
    address_space_bytes: 2_147_483_648,
    core_bytes: 0,
    cpu_seconds: 90,
    file_bytes: 512_000,
    open_files: 64,
    processes: 999_999_999,
  });
  assert.equal(
    ulimitText(rlimits ?? null),
    "as=2147483648 core=0 cpu=90 fsize=512000 nofile=64 nproc=999999999",
  );
  assert.equal(ulimitText(null), "");
});

Deno.test("addUlimit() takes seconds without a unit, and rounds what is less than one up", () => {
  assert.deepEqual(addUlimit("cpu=5", undefined), { cpu_seconds: 5 });
  assert.deepEqual(addUlimit("cpu=1500ms", undefined), { cpu_seconds: 2 });
});

for (
  const text of [
    "",
    "nofile",
    "=5",
    "stack=5",
    "toString=5",
    "nofile=",
    "nofile=0",
    "nofile=-1",
    "nofile=1.5",
    "nofile=1k",
    "nproc=0",
    "nproc=9999999999",
    "cpu=0",
    "cpu=1ms",
    "cpu=",
    "as=0",
    "as=x",
    "core=-1",
    "fsize=",
  ]
) {
  Deno.test(`addUlimit() refuses "${text}"`, () => {
    assert.throws(() => addUlimit(text, undefined), (error) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, /--ulimit/);
      assert.match(error.message, /^[A-Z].*: .*[^.]$/);
      return true;
    });
  });
}

Deno.test("parseUmask() reads octal and nothing else", () => {
  assert.deepEqual(["0", "022", "0077", "777"].map(parseUmask), [0, 0o22, 0o77, 0o777]);
  for (const text of ["", "8", "1000", "-1", "0o22", "u=rwx", "00022"]) {
    assert.throws(() => parseUmask(text), UsageError);
  }
});

Deno.test("parseNice() reads 0 to 19 and nothing else", () => {
  assert.deepEqual(["0", "5", "19"].map(parseNice), [0, 5, 19]);
  for (const text of ["", "20", "-1", "1.5", "x", "05"]) assert.throws(() => parseNice(text), UsageError);
});

Deno.test("jobRequest() sends nothing that was not typed", () => {
  const plain = jobRequest("true", [], {});
  for (const field of ["user", "group", "umask", "nice", "rlimits", "allow_new_privileges", "inherit_env"]) {
    assert.ok(!(field in plain), field);
  }
  const { user, group, umask, nice, rlimits, allow_new_privileges, inherit_env } = jobRequest("true", [], {
    user: "nobody",
    group: "daemon",
    umask: 0,
    nice: 0,
    ulimit: { core_bytes: 0 },
    allowNewPrivileges: true,
    inheritEnv: true,
  });
  assert.deepEqual({ user, group, umask, nice, rlimits, allow_new_privileges, inherit_env }, {
    user: "nobody",
    group: "daemon",
    umask: 0,
    nice: 0,
    rlimits: { core_bytes: 0 },
    allow_new_privileges: true,
    inherit_env: true,
  });
});
