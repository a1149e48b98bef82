/** Tests of the plan of a run, and of the reader of `deno test`'s output. */
import assert from "node:assert/strict";
import { readReport, skipLines, sum } from "./output.ts";
import { chunksOf, kindOf, type TestFile } from "./plan.ts";

Deno.test("kindOf() takes the kind from the first comment, and else from the folder", () => {
  assert.equal(kindOf("tests/cli/a_test.ts", "/** Tests. */\nSlow: no"), "fast");
  assert.equal(kindOf("tests/cli/a_test.ts", "/**\n * Tests.\n * Slow: it waits.\n */"), "slow");
  assert.equal(kindOf("tests/e2e/a_test.ts", "/** Tests. Measures: the time of a call. */"), "measures");
  assert.equal(kindOf("tests/e2e/a_test.ts", "// Tests\nimport a"), "slow");
  assert.equal(kindOf("tests/torture/a_test.ts", "/** Tests. */"), "measures");
  assert.equal(kindOf("tests/a_test.ts", "/** Tests. */"), "fast");
});

Deno.test("chunksOf() puts every file in one chunk, and each file that measures in a chunk of its own", () => {
  const file = (path: string, kind: TestFile["kind"]) => ({ path, kind });
  const files = [
    ...Array.from({ length: 30 }, (_, index) => file(`tests/cli/t${index}_test.ts`, "fast")),
    file("tests/e2e/a_test.ts", "slow"),
    file("tests/e2e/b_test.ts", "measures"),
    file("tests/torture/c_test.ts", "measures"),
  ];
  const chunks = chunksOf(files);
  assert.deepEqual(chunks.flatMap((chunk) => chunk.files).sort(), files.map(({ path }) => path).sort());
  assert.deepEqual(chunks.map((chunk) => chunk.files.length), [1, 10, 10, 10, 1, 1]);
  assert.deepEqual(chunks.map(({ alone }) => alone), [false, false, false, false, true, true]);
  assert.equal(chunks[0]?.name, "tests/e2e: a");
});

Deno.test("readReport() counts tests and gives the reasons of skipped ones", () => {
  const output = `running 3 tests from ./a_test.ts
a (skipped: needs root) ... ignored (0ms)
b ...
  c (skipped: needs perl (5)) ... ignored (0ms)
b ... ok (1s)
d ... ignored (0ms)

ok | 2336 passed (31 steps) | 0 failed | 2 ignored (1 step) (14m20s)
`;
  assert.deepEqual(readReport(output), {
    counts: { passed: 2_336, failed: 0, ignored: 2 },
    skipped: ["needs root", "needs perl (5)", "no reason: d"],
    failures: [],
  });
  assert.deepEqual(readReport("FAILED | 1 passed | 4 failed (1s)").counts, { passed: 1, failed: 4, ignored: 0 });
  assert.equal(readReport("error: Uncaught").counts, undefined);
});

Deno.test("readReport() names the failed tests", () => {
  const output = `
 FAILURES 

a ... b => ./tests/a_test.ts:15:8
./tests/b_test.ts (uncaught error)

FAILED | 1 passed | 2 failed (1s)
`;
  assert.deepEqual(readReport(output).failures, [
    "a ... b => ./tests/a_test.ts:15:8",
    "./tests/b_test.ts (uncaught error)",
  ]);
});

Deno.test("sum() adds the counts of processes", () => {
  const total = sum([{ passed: 1, failed: 2, ignored: 3 }, { passed: 10, failed: 20, ignored: 30 }]);
  assert.deepEqual(total, { passed: 11, failed: 22, ignored: 33 });
});

Deno.test("skipLines() groups equal reasons, the most frequent first", () => {
  assert.deepEqual(skipLines(["a", "b", "b"]), ["  2 tests: b", "  1 test: a"]);
});
