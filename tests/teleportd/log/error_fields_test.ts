/** The description of errors for the log. */
import assert from "node:assert/strict";
import { defectFields, defectText } from "../../../teleportd/log/error_fields.ts";

Deno.test("defectText() returns the name and the message of an error", () => {
  const error = new TypeError("x is not a function");
  assert.equal(defectText(error), "TypeError: x is not a function");
  assert.equal(defectFields(error).stack, error.stack);
});

Deno.test("defectText() returns a text for every thrown value", () => {
  const hostile = { toString: () => assert.fail("no text") };
  for (const value of [undefined, null, 1, "text", Symbol("s"), Object.create(null), hostile]) {
    assert.equal(typeof defectText(value), "string");
    assert.equal(defectFields(value).stack, undefined);
  }
});
