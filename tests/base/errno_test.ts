/** Tests of error numbers: their names and messages. */
import assert from "node:assert/strict";
import { errnoMessage, errnoName, errnoOf, errnoOfMessage, failureReason } from "../../base/errno.ts";

const withCode = (code: string) => Object.assign(new Error("x"), { code });

Deno.test("errnoName() returns the name of a number", () => {
  assert.deepEqual([2, 13, 26, 9999].map(errnoName), ["ENOENT", "EACCES", "ETXTBSY", undefined]);
});

Deno.test("errnoOf() returns the code of an error, or the number in Deno's message when there is no code", () => {
  assert.equal(errnoOf(withCode("EACCES")), "EACCES");
  assert.equal(errnoOf(new Error("Failed to spawn 'x': Text file busy (os error 26)")), "ETXTBSY");
  assert.equal(errnoOf(new Error("Exec format error (os error 8)")), "ENOEXEC");
  for (const other of [new Error("x"), "x", undefined, new Error("(os error 9999)")]) {
    assert.equal(errnoOf(other), undefined);
  }
});

Deno.test("failureReason() returns the words and the name of an error number, or the message of another error", () => {
  assert.equal(failureReason(withCode("EACCES")), "permission denied (EACCES)");
  assert.equal(failureReason(withCode("EXDEV")), "x");
  assert.equal(failureReason(new Error("it is too long")), "it is too long");
});

Deno.test("errnoOfMessage() inverts errnoMessage(), and knows the messages of other shells", () => {
  for (const errno of ["E2BIG", "EACCES", "ELOOP", "ENOEXEC", "ETXTBSY", "ENOTDIR", "EAGAIN"]) {
    assert.equal(errnoOfMessage(errnoMessage(errno)), errno);
  }
  assert.equal(errnoMessage("ENOTSUP"), "ENOTSUP");
  assert.equal(errnoMessage(undefined), "unknown error");
  for (const words of ["not found", "cannot execute: required file not found"]) {
    assert.equal(errnoOfMessage(words), "ENOENT");
  }
  assert.equal(errnoOfMessage("I/O error"), undefined);
});
