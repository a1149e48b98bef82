/** Tests of the checks of who can change a file or read a secret. */
import assert from "node:assert/strict";
import { checkSecret, checkWriters, type FileAccessCode, FileAccessError } from "../../trust/file_access.ts";
import { needing } from "../support/needs.ts";

const isRoot = Deno.uid() === 0;
const asRoot = (name: string) => needing("root", name);

/** A directory with a file two levels down. */
async function place(): Promise<
  AsyncDisposable & { readonly top: string; readonly dir: string; readonly file: string }
> {
  const top = await Deno.makeTempDir({ prefix: "teleport-access-" });
  const dir = `${top}/config`;
  await Deno.mkdir(dir, { mode: 0o700 });
  await Deno.writeTextFile(`${dir}/ca.crt`, "x", { mode: 0o644 });
  return { top, dir, file: `${dir}/ca.crt`, [Symbol.asyncDispose]: () => Deno.remove(top, { recursive: true }) };
}

function refuses(path: string, code: FileAccessCode, at: string, sentence: RegExp): void {
  assert.throws(() => checkWriters(path), (error) => {
    assert.ok(error instanceof FileAccessError, String(error));
    assert.deepEqual([error.code, error.path], [code, at]);
    assert.match(error.message, sentence);
    assert.ok(error.message.includes(`"${at}"`));
    return true;
  });
}

Deno.test("checkWriters() accepts files of this user, and paths that do not exist", async () => {
  await using made = await place();
  checkWriters(made.file);
  checkWriters(made.dir);
  checkWriters(`${made.dir}/nothing/at/all`);
  checkWriters(`${made.dir}/../config/./ca.crt`);
});

Deno.test("checkWriters() refuses a file or directory that every user can change", async () => {
  await using made = await place();
  for (
    const [path, mode, back] of [[made.file, 0o666, 0o644], [made.dir, 0o777, 0o700], [made.top, 0o703, 0o700]] as const
  ) {
    await Deno.chmod(path, mode);
    const shown = mode.toString(8);
    refuses(made.file, "WRITABLE", path, new RegExp(`every user can change it \\(mode 0${shown}\\); run chmod go-w /`));
    await Deno.chmod(path, back);
    checkWriters(made.file);
  }
});

Deno.test("checkWriters() accepts a file of this user in a sticky directory", async () => {
  await using made = await place();
  await Deno.chmod(made.dir, 0o1777);
  checkWriters(made.file);
  if (!isRoot) return;
  await Deno.chown(made.file, 12345, null);
  refuses(made.file, "FOREIGN_OWNER", made.file, /uid 12345 owns it; run chown 0 /);
});

Deno.test("checkWriters() follows symbolic links and checks the directories of their targets", async () => {
  await using made = await place();
  await using other = await place();
  await Deno.symlink(other.file, `${made.dir}/link.crt`);
  await Deno.symlink("link.crt", `${made.dir}/second.crt`);
  checkWriters(`${made.dir}/second.crt`);
  await Deno.chmod(other.dir, 0o777);
  refuses(`${made.dir}/second.crt`, "WRITABLE", other.dir, /every user/);
  await Deno.chmod(other.dir, 0o700);
  await Deno.chmod(other.file, 0o646);
  refuses(`${made.dir}/second.crt`, "WRITABLE", other.file, /every user/);
  await Deno.symlink("round.crt", `${made.dir}/round.crt`);
  assert.throws(() => checkWriters(`${made.dir}/round.crt`), Deno.errors.FilesystemLoop);
});

Deno.test(asRoot("checkWriters() refuses files, directories and links of other users"), async () => {
  await using made = await place();
  for (const path of [made.file, made.dir, made.top]) {
    await Deno.chown(path, 12345, null);
    refuses(made.file, "FOREIGN_OWNER", path, /uid 12345/);
    // Every user trusts the files of root.
    await Deno.chown(path, 0, null);
  }
  await Deno.chown(made.file, 12345, null);
  checkWriters(made.file, { uid: 12345 });
});

Deno.test(asRoot("checkWriters() accepts a writable group only when it has no other member"), async () => {
  await using made = await place();
  await Deno.chmod(made.dir, 0o770);
  // No account of this machine has this group.
  await Deno.chown(made.dir, 0, 54_321);
  checkWriters(made.file);
  const groups = (await Deno.readTextFile("/etc/passwd")).split("\n").map((line) => line.split(":"))
    .filter(([, , uid, gid]) => Number(uid) > 0 && Number(gid) > 0);
  const [, , , gid] = groups[0] ?? [];
  if (gid === undefined) return;
  await Deno.chown(made.dir, 0, Number(gid));
  refuses(made.file, "WRITABLE", made.dir, /group \d+ can change it \(mode 0770\); run chmod g-w/);
});

Deno.test({
  ...needing("setfacl", "checkWriters() refuses an access control list that lets others write"),
  fn: async () => {
    await using made = await place();
    for (const path of [made.file, made.dir, made.top]) {
      const { success } = await new Deno.Command("setfacl", { args: ["-m", "u:12345:rwx", path] }).output();
      // Not every file system has lists.
      if (!success) return;
      refuses(made.file, "WRITABLE", path, /access control list .*; run setfacl -b /);
      await new Deno.Command("setfacl", { args: ["-b", path] }).output();
      checkWriters(made.file);
    }
    await new Deno.Command("setfacl", { args: ["-m", "u:12345:rx", made.dir] }).output();
    checkWriters(made.file);
  },
});

Deno.test(asRoot("checkWriters() does not advise to take over a home directory"), async () => {
  await using made = await place();
  await Deno.chown(made.top, 12345, null);
  assert.throws(() => checkWriters(made.file), (error) => {
    assert.ok(error instanceof FileAccessError);
    assert.doesNotMatch(error.message, /chown/);
    assert.match(error.message, /or run this program as that user$/);
    return true;
  });
});

Deno.test("checkSecret() accepts a secret that only this user can read", async () => {
  await using made = await place();
  for (const mode of [0o600, 0o400]) {
    await Deno.chmod(made.file, mode);
    checkSecret(made.file);
  }
  for (const mode of [0o644, 0o604, 0o602, 0o601]) {
    await Deno.chmod(made.file, mode);
    assert.throws(() => checkSecret(made.file), { name: "FileAccessError", message: /run chmod 600/ });
  }
});
