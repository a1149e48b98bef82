/** Tests of finding the own cgroup, with files of several kinds of host. */
import assert from "node:assert/strict";
import { ownCgroup } from "../../../worker/cgroup/own_cgroup.ts";

const UNIFIED = "30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate";
const HYBRID = `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:9 master:1 - cgroup2 cgroup2 rw`;

Deno.test("ownCgroup() finds the cgroup on a host with version 2 only", () => {
  assert.deepEqual(ownCgroup(UNIFIED, "0::/system.slice/teleportd.service\n"), {
    directory: "/sys/fs/cgroup/system.slice/teleportd.service",
    mount: "/sys/fs/cgroup",
  });
  assert.equal(ownCgroup(UNIFIED, "0::/\n")?.directory, "/sys/fs/cgroup");
});

Deno.test("ownCgroup() finds the cgroup on a hybrid host", () => {
  const cgroups = "5:memory:/user/a\n1:name=systemd:/b\n0::/c\n";
  assert.equal(ownCgroup(HYBRID, cgroups)?.directory, "/sys/fs/cgroup/unified/c");
});

Deno.test("ownCgroup() removes the root of a mount that shows a part of the hierarchy", () => {
  const part = UNIFIED.replace(" / /sys", " /docker/abc /sys");
  assert.equal(ownCgroup(part, "0::/docker/abc/leaf")?.directory, "/sys/fs/cgroup/leaf");
  assert.equal(ownCgroup(part, "0::/docker/abc")?.directory, "/sys/fs/cgroup");
  assert.equal(ownCgroup(part, "0::/docker/abcd"), undefined);
  // The second mount shows the cgroup, the first does not.
  assert.equal(ownCgroup(`${part}\n${HYBRID}`, "0::/x")?.directory, "/sys/fs/cgroup/unified/x");
});

Deno.test("ownCgroup() returns undefined without version 2 and outside of the namespace", () => {
  assert.equal(ownCgroup(HYBRID.split("\n").slice(0, 2).join("\n"), "0::/"), undefined);
  assert.equal(ownCgroup(UNIFIED, "3:memory:/a\n"), undefined);
  assert.equal(ownCgroup(UNIFIED, "0::/../other"), undefined);
  assert.equal(ownCgroup("", ""), undefined);
  assert.equal(ownCgroup("no such line", "0::/"), undefined);
});

Deno.test("ownCgroup() decodes escaped characters in a path", () => {
  const odd = UNIFIED.replace("/sys/fs/cgroup", "/mnt/my\\040cgroups\\134x");
  assert.equal(ownCgroup(odd, "0::/a")?.directory, "/mnt/my cgroups\\x/a");
});
