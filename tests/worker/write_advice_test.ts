/** Tests of the advice when the data directory cannot be written. */
import assert from "node:assert/strict";
import { writeAdvice } from "../../worker/write_advice.ts";
import { NotRecordedError, StoreUnusableError } from "../../worker/storage_errors.ts";
import { openDatabase } from "../../worker/store/database.ts";
import { tempDir } from "../support/temp_dir.ts";

const withCode = (code: string) => Object.assign(new Error("x"), { code });

Deno.test("writeAdvice() names the owner, the path or the permission, and the disk only when nothing else is wrong", () => {
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [withCode("EACCES"), /make the server's user the owner/],
    [withCode("EPERM"), /make the server's user the owner/],
    [withCode("ELOOP"), /correct its path/],
    [withCode("EMFILE"), /wait until fewer files are open/],
    [new Deno.errors.NotCapable("x"), /run the program with permission to read and write it/],
    [withCode("ENOSPC"), /free space on its disk or repair the disk/],
    [new Error("database or disk is full"), /free space on its disk or repair the disk/],
    [withCode("EIO"), /free space on its disk or repair the disk/],
    [undefined, /free space on its disk or repair the disk/],
  ];
  for (const [cause, advice] of cases) {
    const { message } = new NotRecordedError({ cause });
    assert.match(message, /^The server cannot write to its data directory: [^:]*, then try again$/);
    assert.match(message, advice);
    assert.match(writeAdvice(cause), advice);
  }
});

Deno.test("openDatabase() names the error when the path of the directory cannot be used", async () => {
  await using temporary = await tempDir();
  const directory = temporary.path;
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
        new RegExp(`cannot be written \\(${errno}\\): correct its path, or give another directory$`),
      );
      return true;
    });
  }
});
