/** Tests of error messages. */
import assert from "node:assert/strict";
import { errorMessage } from "../../base/error_message.ts";

Deno.test("errorMessage() returns the message of an error, and the text of other values", () => {
  assert.equal(errorMessage(new TypeError("disk full")), "disk full");
  for (const value of ["x", 5, undefined, null]) assert.equal(errorMessage(value), String(value));
});
