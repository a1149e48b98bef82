/** The numbers made of many measurements. */
import assert from "node:assert/strict";
import { list, mb, median, quantile } from "../../bench/statistics.ts";

Deno.test("median() is the middle one, of an even count the mean of the two", () => {
  assert.equal(median([3]), 3);
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([10, 1, 3, 2]), 2.5);
  assert.ok(Number.isNaN(median([])));
});

Deno.test("quantile() orders as numbers, and ends at the largest", () => {
  const values = [100, 9, 20, 3];
  assert.equal(quantile(values, 0), 3);
  assert.equal(quantile(values, 0.5), 20);
  assert.equal(quantile(values, 0.99), 100);
  assert.equal(quantile(values, 1), 100);
  assert.deepEqual(values, [100, 9, 20, 3], "The values are left as they were");
});

Deno.test("list() and mb() write numbers for people", () => {
  assert.equal(list([1.26, 30], 1), "1.3 30.0");
  assert.equal(mb(1_500_000), 1.5);
});
