/** Error numbers: where they come from, their words, and what helps. */
import assert from "node:assert/strict";
import { errnoOf, errnoOfWords, errnoWords, writeAdvice } from "../../worker/errno.ts";
import { NotRecordedError, StoreUnusableError } from "../../worker/errors.ts";
import { openDatabase } from "../../worker/store/database.ts";

const withCode = (code: string) => Object.assign(new Error("x"), { code });

Deno.test("errnoOf() knows the number of an error by its code, and else by Deno's text", () => {
  assert.equal(errnoOf(withCode("EACCES")), "EACCES");
  assert.equal(errnoOf(new Error("Failed to spawn 'x': Text file busy (os error 26)")), "ETXTBSY");
  assert.equal(errnoOf(new Error("Exec format error (os error 8)")), "ENOEXEC");
  for (const other of [new Error("x"), "x", undefined, new Error("(os error 9999)")]) {
    assert.equal(errnoOf(other), undefined);
  }
});

Deno.test("errnoWords() and errnoOfWords() are each other's inverse, also for words of other shells", () => {
  for (const errno of ["E2BIG", "EACCES", "ELOOP", "ENOEXEC", "ETXTBSY", "ENOTDIR", "EAGAIN"]) {
    assert.equal(errnoOfWords(errnoWords(errno)), errno);
  }
  assert.equal(errnoWords("ENOTSUP"), "ENOTSUP");
  assert.equal(errnoWords(undefined), "unknown error");
  for (const words of ["not found", "cannot execute: required file not found"]) {
    assert.equal(errnoOfWords(words), "ENOENT");
  }
  assert.equal(errnoOfWords("I/O error"), undefined);
});

Deno.test("who cannot write is told what is wrong: the owner, the path, the permission, and the disk only where it is", () => {
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [withCode("EACCES"), /let the server's user own all of it/],
    [withCode("EPERM"), /let the server's user own all of it/],
    [withCode("ELOOP"), /mend its path/],
    [withCode("EMFILE"), /wait until fewer files are open/],
    [new Deno.errors.NotCapable("x"), /run the program with the permissions to read and write it/],
    [withCode("ENOSPC"), /free or mend its disk/],
    [new Error("database or disk is full"), /free or mend its disk/],
    [undefined, /free or mend its disk/],
  ];
  for (const [cause, advice] of cases) {
    const { message } = new NotRecordedError({ cause });
    assert.match(message, /^The server cannot write to its data directory: [^:]*, then try again$/);
    assert.match(message, advice);
  }
  assert.equal(writeAdvice(withCode("EIO")), undefined);
});

Deno.test("a data directory whose path leads nowhere is refused with what is wrong", async () => {
  const directory = await Deno.makeTempDir({ prefix: "teleport-test-" });
  await Deno.writeTextFile(`${directory}/file`, "");
  await Deno.symlink("loop", `${directory}/loop`);
  const paths = [
    [`${directory}/file/inner`, "ENOTDIR"],
    [`${directory}/loop/inner`, "ELOOP"],
    [`${directory}/file`, "EEXIST"],
    ["/proc/teleport-test", "ENOENT"],
  ];
  for (const [path, errno] of paths) {
    assert.throws(() => openDatabase(`${path}/jobs.db`), (error) => {
      assert.ok(error instanceof StoreUnusableError);
      assert.match(
        error.message,
        new RegExp(`cannot be written \\(${errno}\\): mend its path, or give another directory$`),
      );
      return true;
    });
  }
  await Deno.remove(directory, { recursive: true });
});
