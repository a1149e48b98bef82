/** Tests for the callbacks that a program gives a supervisor. */
import assert from "node:assert/strict";
import { callback } from "../../../worker/supervisor/callback.ts";

Deno.test("callback() passes the value on, and ignores what the function throws", () => {
  const values: number[] = [];
  const report = callback((value: number) => {
    values.push(value);
    throw new Error("The report fails");
  });
  report(1);
  report(2);
  assert.deepEqual(values, [1, 2]);
});

Deno.test("callback() does nothing when there is no function", () => {
  callback<number>(undefined)(1);
});
