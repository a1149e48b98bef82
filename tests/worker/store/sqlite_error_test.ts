/** Tests for the errors of SQLite and of the system: in use, damaged, or not writable. */
import assert from "node:assert/strict";
import { JobNotFoundError } from "../../../worker/errors.ts";
import { DirectoryInUseError, RecordDamagedError, StoreUnusableError } from "../../../worker/storage_errors.ts";
import { openError, readError, writeError } from "../../../worker/store/sqlite_error.ts";

const sqlite = (message: string) => Object.assign(new Error(message), { code: "ERR_SQLITE_ERROR" });
const system = Object.assign(new Error("x"), { code: "ENOSPC" });

Deno.test("openError() distinguishes a database in use, one that cannot be written, and a damaged one", () => {
  assert.ok(openError(sqlite("database is locked")) instanceof DirectoryInUseError);
  for (const error of [sqlite("attempt to write a readonly database"), sqlite("database or disk is full"), system]) {
    const result = openError(error);
    assert.ok(result instanceof StoreUnusableError);
    assert.match(result.message, /cannot be written \(.*\): free space on its disk/);
  }
  const damaged = openError(sqlite("file is not a database"));
  assert.ok(damaged instanceof StoreUnusableError && damaged.message.includes("is damaged"));
  const known = new DirectoryInUseError();
  assert.equal(openError(known), known);
});

Deno.test("writeError() reports damage, but returns the error of a full disk unchanged", () => {
  assert.ok(writeError(sqlite("database disk image is malformed")) instanceof RecordDamagedError);
  for (const error of [sqlite("database or disk is full"), sqlite("database is locked"), system]) {
    assert.equal(writeError(error), error);
  }
});

Deno.test("readError() reports every error as damage except those of the library", () => {
  assert.ok(readError(new SyntaxError("Unexpected end of JSON input")) instanceof RecordDamagedError);
  const known = new JobNotFoundError("a");
  assert.equal(readError(known), known);
});
