/** The checks of a data directory when the server and the job host have different users. */
import assert from "node:assert/strict";
import { checkSharedDirectory } from "../../teleportd/data_directory.ts";
import { authorityKeyWarning, checkDataDirectory } from "../../teleportd/file_trust.ts";
import { uidOf } from "../../teleportd/other_user.ts";
import { StartError } from "../../teleportd/start_error.ts";
import { missing, skippedIf } from "../support/needs.ts";
import { tempDir } from "../support/temp_dir.ts";

const OTHER = 54_321;
const why = missing("root");

Deno.test(
  skippedIf(why, "checkDataDirectory() lets the job host's user own hosts and output, and nothing else"),
  async () => {
    await using dir = await tempDir();
    await Deno.mkdir(`${dir.path}/output`, { mode: 0o750 });
    await Deno.chown(`${dir.path}/output`, OTHER, OTHER);
    await checkDataDirectory(dir.path, OTHER);
    await assert.rejects(checkDataDirectory(dir.path), /output": uid 54321 owns it/);
    await Deno.writeTextFile(`${dir.path}/jobs.db`, "");
    await Deno.chown(`${dir.path}/jobs.db`, OTHER, OTHER);
    await assert.rejects(checkDataDirectory(dir.path, OTHER), /jobs\.db": uid 54321 owns it/);
  },
);

Deno.test(skippedIf(why, "checkSharedDirectory() trusts the server's user, and no third one"), async () => {
  await using dir = await tempDir();
  await Deno.chown(dir.path, OTHER, OTHER);
  await checkSharedDirectory(dir.path, OTHER);
  assert.deepEqual(["hosts", "output"].map((name) => Deno.statSync(`${dir.path}/${name}`).mode! & 0o777), [
    0o750,
    0o750,
  ]);
  await assert.rejects(checkSharedDirectory(dir.path, OTHER + 1), /uid 54321 owns it/);
  await assert.rejects(checkSharedDirectory("/dev/null", 0), (error) => {
    assert.ok(error instanceof StartError);
    assert.match(
      error.message,
      /^Cannot make "\/dev\/null\/hosts" for the job host: .*; make it with user 0 as owner$/,
    );
    return true;
  });
});

Deno.test("uidOf() finds a user by name and number, and refuses an unknown one as a wrong option", () => {
  assert.equal(uidOf("root", "--host-user"), 0);
  assert.equal(uidOf("0", "--host-user"), 0);
  assert.throws(() => uidOf("nobody-of-that-name", "--host-user"), (error) => {
    assert.ok(error instanceof StartError && error.code === "USAGE");
    assert.match(error.message, /^Cannot use --host-user: No such user "nobody-of-that-name": name one/);
    return true;
  });
});

Deno.test("authorityKeyWarning() warns only when jobs run as a user who can read the key", () => {
  assert.match(
    authorityKeyWarning("/ca.key", undefined, 7) ?? "",
    /^Every job that runs as the server's user can read/,
  );
  assert.match(authorityKeyWarning("/ca.key", undefined, 0) ?? "", /^Every job that runs as root can read/);
  assert.match(authorityKeyWarning("/ca.key", 0, 7) ?? "", /^Every job that runs as root can read/);
  assert.equal(authorityKeyWarning("/ca.key", 8, 7), undefined);
  assert.equal(authorityKeyWarning("/ca.key", 8, 0), undefined);
});
