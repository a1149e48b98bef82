/** Ends that are near, and keys that others can read. */
import assert from "node:assert/strict";
import { ExpiryReminder } from "../../certs/expiry.ts";
import { checkKeyAccess, checkWriteAccess } from "../../certs/key_mode.ts";
import { expiryWarning } from "../../trust/expiry.ts";
import { refuses, temporaryDirectory } from "../support/certs.ts";

Deno.test("expiryWarning() warns from 30 days or a third of the life before the end, and counts whole days", () => {
  const end = new Date("2026-03-31T12:00:00Z");
  const day = (days: number) => new Date(end.getTime() - days * 86_400_000);
  for (
    const [lifeDays, leftDays, wanted] of [
      [365, 30, undefined],
      [365, 29.9, "ends in 29 days, on 2026-03-31"],
      [90, 29.9, "ends in 29 days, on 2026-03-31"],
      [30, 10, undefined],
      [30, 9.9, "ends in 9 days, on 2026-03-31"],
      [1, 0.4, undefined],
      [1, 0.3, "ends in less than a day, on 2026-03-31"],
      [365, 1.5, "ends in 1 day, on 2026-03-31"],
      [365, 0, "ended on 2026-03-31"],
    ] as const
  ) assert.equal(expiryWarning({ notBefore: day(lifeDays), notAfter: end }, day(leftDays)), wanted, `${leftDays}`);
});

Deno.test("ExpiryReminder tells at once of what is near, and leaves no timer", () => {
  const told: string[] = [];
  const notBefore = new Date(Date.now() - 86_400_000 * 300);
  using reminder = new ExpiryReminder({ warn: (text) => told.push(text) });
  reminder.watch([
    { name: "this", notBefore, notAfter: new Date(Date.now() + 86_400_000 * 2.5) },
    { name: "that", notBefore, notAfter: new Date(Date.now() + 86_400_000 * 400) },
  ]);
  assert.equal(told.length, 1);
  assert.match(told[0]!, /^this ends in 2 days, on /);
});

Deno.test("checkKeyMode() lets nobody but the owner, or a group under root, read a key", async () => {
  await using dir = await temporaryDirectory();
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
  // As a container gets a secret: root's, readable by the group of a server that is not root.
  await Deno.chmod(path, 0o440);
  if (uid === 0) await checkKeyAccess(path, 1000);
  await Deno.chmod(path, 0o444);
  await refuses(() => checkKeyAccess(path, 1000), "UNUSABLE", /set mode 0400/);
});

Deno.test("checkKeyMode() and checkOwner() say why a file cannot be reached", async () => {
  await using dir = await temporaryDirectory();
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
