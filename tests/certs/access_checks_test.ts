/** Tests of the checks of who can access certificate files. */
import { checkKeyAccess, checkWriteAccess } from "../../certs/access_checks.ts";
import { refuses } from "../support/certs.ts";
import { tempDir } from "../support/temp_dir.ts";

Deno.test("checkKeyAccess() accepts a key that only its owner, or a group of root, can read", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/server.key`;
  await refuses(() => checkKeyAccess(path), "MISSING", /server\.key": it does not exist/);
  await Deno.writeTextFile(path, "key");
  const { uid } = await Deno.stat(path);
  for (const mode of [0o600, 0o400]) {
    await Deno.chmod(path, mode);
    await checkKeyAccess(path, uid);
  }
  for (const mode of [0o644, 0o640, 0o604, 0o620, 0o602, 0o444]) {
    await Deno.chmod(path, mode);
    await refuses(() => checkKeyAccess(path, uid), "UNUSABLE", /read or change it.*chmod 600/);
  }
  // A container gets a secret of root, which the group of the server can read.
  await Deno.chmod(path, 0o440);
  if (uid === 0) await checkKeyAccess(path, 1000);
  await Deno.chmod(path, 0o444);
  await refuses(() => checkKeyAccess(path, 1000), "UNUSABLE", /set mode 0400/);
});

Deno.test("checkKeyAccess() and checkWriteAccess() name the reason why a file cannot be reached", async () => {
  await using dir = await tempDir();
  await Deno.symlink("loop", `${dir.path}/loop`);
  const path = `${dir.path}/loop/server.key`;
  await refuses(
    () => checkWriteAccess(path),
    "NOT_ACCESSIBLE",
    /^Cannot check the access to ".*": .*too many symbolic links/,
  );
  await refuses(
    () => checkKeyAccess(path),
    "NOT_ACCESSIBLE",
    /^Cannot check the access to ".*": Too many .*\(os error 40\)/,
  );
});
