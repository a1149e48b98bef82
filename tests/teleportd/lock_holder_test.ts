/** The search for the process that holds a lock. */
import assert from "node:assert/strict";
import { lockHolder } from "../../teleportd/lock_holder.ts";

Deno.test("lockHolder() finds the process by device and inode, and none for another file", async () => {
  const path = await Deno.makeTempFile({ prefix: "teleport-test-" });
  try {
    const { dev, ino } = await Deno.stat(path);
    const [major, minor] = [(dev >> 8) & 0xfff, (dev & 0xff) + Math.floor(dev / 0x100000) * 0x100];
    const place = `${major.toString(16).padStart(2, "0")}:${minor.toString(16).padStart(2, "0")}`;
    const other = `1: POSIX  ADVISORY  WRITE 7 ${place}:${ino! + 1} 0 EOF\n`;
    const ours = `2: POSIX  ADVISORY  WRITE 708 ${place}:${ino} 1073741826 1073742335\n`;
    assert.equal(lockHolder(path, () => other), undefined);
    assert.equal(lockHolder(path, () => other + ours), 708);
    // A process of another namespace has no number here.
    assert.equal(lockHolder(path, () => ours.replace("708", "0")), undefined);
    assert.equal(lockHolder(path, () => "no list"), undefined);
    assert.equal(lockHolder(`${path}/none`), undefined);
    // A lock that ended during the first reading has moved the others.
    const lists = [other, other + ours];
    assert.equal(lockHolder(path, () => lists.shift() ?? ""), 708);
  } finally {
    await Deno.remove(path);
  }
});
