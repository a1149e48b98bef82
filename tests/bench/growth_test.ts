/** The tables of growth. */
import assert from "node:assert/strict";
import { exponent, growthMarkdown } from "../../bench/growth/growth.ts";

Deno.test("exponent() is the slope of a line through logarithms", () => {
  const sizes = [1, 10, 100, 1_000];
  assert.ok(Math.abs(exponent(sizes.map((size) => [size, 7])) - 0) < 1e-9, "constant");
  assert.ok(Math.abs(exponent(sizes.map((size) => [size, 3 * size])) - 1) < 1e-9, "linear");
  assert.ok(Math.abs(exponent(sizes.map((size) => [size, size ** 2 / 5])) - 2) < 1e-9, "quadratic");
});

Deno.test("exponent() ignores values without a logarithm, and is NaN with one point", () => {
  assert.ok(Math.abs(exponent([[1, 0], [10, 10], [100, 100]]) - 1) < 1e-9);
  assert.ok(Number.isNaN(exponent([[10, 10]])));
});

Deno.test("growthMarkdown() writes a row for each size, both exponents and the limits", () => {
  const text = growthMarkdown({
    title: "Jobs",
    size: "jobs",
    columns: ["time, ms", "read all, s"],
    rows: [{ size: 1_000, values: [1, 2] }, { size: 10_000, values: [1, undefined] }],
    limits: ["10,000 jobs: an error"],
    notes: ["Simulated."],
  });
  assert.deepEqual(text.split("\n"), [
    "## Jobs",
    "",
    "| jobs | time, ms | read all, s |",
    "| ---: | ---: | ---: |",
    "| 1,000 | 1.00 | 2.00 |",
    "| 10,000 | 1.00 |  |",
    "| exponent, all rows | 0.00 |  |",
    "| exponent, last step | 0.00 |  |",
    "",
    "First limits:",
    "",
    "- 10,000 jobs: an error",
    "",
    "Notes:",
    "",
    "- Simulated.",
  ]);
});
