/** Tests of limits in text form. */
import assert from "node:assert/strict";
import { addUlimit } from "../../units/ulimit.ts";
import { UsageError } from "../../units/usage_error.ts";

Deno.test("addUlimit() parses each limit in its unit, and keeps the last value of a name", () => {
  const all = ["as=2G", "core=0", "cpu=90s", "fsize=500k", "nofile=20", "nproc=999999999", "nofile=64"];
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
});

Deno.test("addUlimit() accepts seconds without a unit, and rounds up to one second", () => {
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
    "nproc=99999999999999999",
    "nofile=19",
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
