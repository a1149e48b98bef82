/** Tests of the files that limit a cgroup. */
import assert from "node:assert/strict";
import { tempDir } from "../../support/temp_dir.ts";
import type { CgroupLimits } from "../../../base/job_options/cgroup_limits.ts";
import { controllersOf, diskOf, limitFiles } from "../../../worker/cgroup/limits.ts";
import { NotEnforceableError } from "../../../worker/errors.ts";
import { thrown } from "../../support/thrown.ts";

Deno.test("limitFiles() returns each limit in the form of the kernel's documentation", () => {
  const cases: readonly (readonly [CgroupLimits, readonly string[]])[] = [
    [{}, []],
    [{ maxMemoryBytes: 104_857_600 }, ["memory.max=104857600", "memory.swap.max=0", "memory.oom.group=1"]],
    [{ maxCpus: 1.5 }, ["cpu.max=150000 100000"]],
    [{ maxCpus: 0.01 }, ["cpu.max=1000 100000"]],
    [{ maxCpus: 64 }, ["cpu.max=6400000 100000"]],
    [{ maxProcesses: 7 }, ["pids.max=7"]],
    [{ maxReadBytesPerS: 1_000 }, ["io.max=8:16 rbps=1000"]],
    [{ maxWriteBytesPerS: 2_000 }, ["io.max=8:16 wbps=2000"]],
    [{ maxReadBytesPerS: 1, maxWriteBytesPerS: 2, ioPath: "/data" }, ["io.max=8:16 rbps=1 wbps=2"]],
  ];
  for (const [limits, expected] of cases) {
    const device = controllersOf(limits).includes("io") ? "8:16" : undefined;
    assert.deepEqual(limitFiles(limits, device).map(({ name, text }) => `${name}=${text}`), expected);
  }
});

Deno.test("controllersOf() returns the controllers that each limit needs", () => {
  assert.deepEqual(controllersOf({}), []);
  assert.deepEqual(controllersOf({ maxCpus: 1, maxMemoryBytes: 2 ** 30, maxProcesses: 1, maxReadBytesPerS: 1 }), [
    "cpu",
    "io",
    "memory",
    "pids",
  ]);
  assert.deepEqual(controllersOf({ maxWriteBytesPerS: 1 }), ["io"]);
});

Deno.test("diskOf() returns the whole disk of a partition, and throws for a path on no disk", async () => {
  await using temp = await tempDir();
  const sysfs = temp.path;
  const disk = `${sysfs}/devices/pci0/block/sda`;
  await Deno.mkdir(`${disk}/sda2`, { recursive: true });
  await Deno.mkdir(`${sysfs}/dev/block`, { recursive: true });
  await Deno.writeTextFile(`${disk}/dev`, "8:0\n");
  await Deno.writeTextFile(`${disk}/sda2/dev`, "8:2\n");
  await Deno.writeTextFile(`${disk}/sda2/partition`, "2\n");
  await Deno.symlink(disk, `${sysfs}/dev/block/8:0`);
  await Deno.symlink(`${disk}/sda2`, `${sysfs}/dev/block/8:2`);
  // An NVMe disk whose numbers need more than the lower bits of each part.
  await Deno.mkdir(`${sysfs}/devices/nvme`, { recursive: true });
  await Deno.writeTextFile(`${sysfs}/devices/nvme/dev`, "259:300\n");
  await Deno.symlink(`${sysfs}/devices/nvme`, `${sysfs}/dev/block/259:300`);
  assert.equal(diskOf("/", makedev(8, 0), sysfs), "8:0");
  assert.equal(diskOf("/", makedev(8, 2), sysfs), "8:0");
  assert.equal(diskOf("/", makedev(259, 300), sysfs), "259:300");
  const error = thrown(() => diskOf("/tmp", makedev(0, 31), sysfs));
  assert.ok(error instanceof NotEnforceableError);
  assert.equal(
    error.message,
    'Cannot limit disk bandwidth for "/tmp": it is not on a disk of this host: give another path',
  );
});

/** Does the same as makedev(3) of glibc. */
function makedev(major: number, minor: number): number {
  return (minor & 0xff) + (major & 0xfff) * 2 ** 8 + (minor >> 8) * 2 ** 20;
}
