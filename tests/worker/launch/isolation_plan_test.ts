/** Tests of the plan that isolates a job. */
import assert from "node:assert/strict";
import { forbiddenWritableMounts, isolationPlan } from "../../../worker/launch/isolation.ts";

const MOUNTINFO = [
  "21 26 0:20 / /proc rw,relatime - proc proc rw",
  "22 26 0:21 / /sys rw,relatime - sysfs sysfs rw",
  "23 26 0:5 / /dev rw,relatime - devtmpfs dev rw",
  "24 23 0:22 / /dev/shm rw - tmpfs tmpfs rw",
  "26 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
  "27 22 0:24 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw",
  "28 26 8:2 / /home rw - ext4 /dev/sda2 rw",
  "29 28 8:3 / /home/a\\040b\\134c rw - ext4 /dev/sda3 rw",
  "30 26 8:4 / /media ro,relatime - ext4 /dev/sda4 rw",
  "31 26 0:30 / /tmp rw - tmpfs tmpfs rw",
  "32 26 0:31 / /tmpfiles rw - tmpfs tmpfs rw",
  "33 26 8:5 / /srv/inner rw - ext4 /dev/sda5 rw",
  "34 26 8:6 / /srv rw - ext4 /dev/sda6 rw",
  "35 28 8:7 / /home rw,nosuid - ext4 /dev/sda7 rw",
  "",
].join("\n");

Deno.test("isolationPlan() lists the visible writable mounts, except those that the job gets of its own", () => {
  const points = (mountinfo: string, masked: string[] = []) =>
    isolationPlan("STRICT", mountinfo, true, masked).readOnly.map(({ point }) => point);
  // Later mounts cover /srv/inner, and the first /home with its content.
  assert.deepEqual(points(MOUNTINFO), ["/proc", "/", "/tmpfiles", "/srv", "/home"]);
  assert.deepEqual(points(MOUNTINFO, ["/srv"]), ["/proc", "/", "/tmpfiles", "/home"]);
  assert.deepEqual(isolationPlan("PRIVATE", MOUNTINFO, false, ["/run"]), {
    level: "PRIVATE",
    userNamespace: true,
    readOnly: [],
    masked: [],
  });
  const spaces = "1 2 8:3 / /a\\040b\\134c\\011d rw,noexec - ext4 x rw\n";
  assert.deepEqual(isolationPlan("STRICT", spaces, true).readOnly, [{ point: "/a b\\c\td", noexec: true }]);
});

Deno.test("forbiddenWritableMounts() returns the mounts that a STRICT job must not write but could", () => {
  const mounts = [
    "1 0 8:1 / / ro - ext4 x rw",
    "2 1 0:20 / /proc ro - proc proc rw",
    "3 1 0:5 / /dev rw - devtmpfs dev rw",
    "4 3 0:6 / /dev ro - tmpfs x rw",
    "5 4 0:5 /null /dev/null rw - devtmpfs dev rw",
    "6 1 0:7 / /tmp rw - tmpfs x rw",
  ];
  assert.deepEqual(forbiddenWritableMounts(mounts.join("\n")), []);
  assert.deepEqual(forbiddenWritableMounts([...mounts.slice(0, 3), "7 1 8:2 / /srv rw - ext4 x rw"].join("\n")), [
    "/dev",
    "/srv",
  ]);
});
