/** Tests that each task for developers prints its help, and refuses an option that it does not have. */
import assert from "node:assert/strict";

/** The programs of the tasks. Each one loads a server or a virtual machine only after it has read its options. */
const PROGRAMS = [
  "bench/main.ts",
  "tests/demo/main.ts",
  "tests/host/main.ts",
  "tests/kills/main.ts",
  "tests/runner/coverage.ts",
  "tests/runner/main.ts",
  "tests/soak/main.ts",
  "tests/torture/damage_program.ts",
  "tests/torture/main.ts",
];

async function run(program: string, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--no-check", "-A", program, ...args],
    cwd: new URL("../../", import.meta.url),
  }).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

for (const program of PROGRAMS) {
  Deno.test(`${program} prints its help, and refuses an unknown option`, async () => {
    const [help, dashed, wrong] = await Promise.all([
      run(program, "--help"),
      run(program, "--", "--help"),
      run(program, "--no-such-option"),
    ]);
    for (const { code, stdout, stderr } of [help, dashed]) {
      assert.deepEqual([code, stderr], [0, ""]);
      assert.match(stdout, /^Usage: deno task /);
    }
    assert.deepEqual([wrong.code, wrong.stdout], [2, ""]);
    assert.match(wrong.stderr, /^Unknown option '--no-such-option'.*\n\nUsage: deno task /);
  });
}
