/** Tests of error codes. */
import assert from "node:assert/strict";
import { errorCode } from "../../base/error_code.ts";

Deno.test("errorCode() returns the code of an error, and nothing else", () => {
  assert.equal(errorCode(Object.assign(new Error("closed"), { code: "EACCES" })), "EACCES");
  for (
    const other of [new Error("EACCES"), Object.assign(new Error("x"), { code: 5 }), { code: "EACCES" }, undefined]
  ) {
    assert.equal(errorCode(other), undefined);
  }
});

Deno.test("errorCode() returns the name of a system error", () => {
  assert.throws(() => Deno.statSync("/nowhere/at/all"), (error) => errorCode(error) === "ENOENT");
});
