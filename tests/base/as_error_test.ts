/** Tests for thrown values as errors. */
import assert from "node:assert/strict";
import { asError } from "../../base/as_error.ts";

Deno.test("asError() returns an error as it is, and makes one of any other value", () => {
  const error = new TypeError("no");
  assert.equal(asError(error), error);
  assert.equal(asError("disk full").message, "disk full");
  assert.equal(asError(undefined).message, "undefined");
});
