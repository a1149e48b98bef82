/** Tests of the cgroups of a server's jobs, with directories in place of real cgroups. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { CgroupUnavailableError, HOST_LEAF } from "../../../worker/cgroup/delegation.ts";
import { CgroupTree, makeRoomForJobHost } from "../../../worker/cgroup/tree.ts";
import { NotEnforceableError } from "../../../worker/errors.ts";
import { fakeBase } from "../../support/cgroups.ts";
import { thrown } from "../../support/thrown.ts";

const decoder = new TextDecoder();

function read(...path: string[]): string {
  return decoder.decode(Deno.readFileSync(join(...path)));
}

Deno.test("CgroupTree.open() creates a cgroup and enables the controllers for the jobs", async () => {
  const base = await fakeBase();
  const cgroups = CgroupTree.open({ base, name: "jobs" });
  assert.equal(cgroups.directory, join(base, "jobs"));
  assert.deepEqual([...cgroups.controllers], ["cpu", "io", "memory", "pids"]);
  assert.equal(cgroups.lacking.size, 0);
  // A plain file keeps only the last write. The kernel would add them up.
  assert.equal(read(base, "cgroup.subtree_control"), "+pids");
  assert.equal(read(base, "jobs", "cgroup.subtree_control"), "+pids");
  await Deno.remove(base, { recursive: true });
});

Deno.test("CgroupTree.open() writes nothing when the controllers are already enabled", async () => {
  const base = await fakeBase();
  await Deno.mkdir(join(base, "jobs"));
  for (const directory of [base, join(base, "jobs")]) {
    await Deno.writeTextFile(join(directory, "cgroup.subtree_control"), "cpu io memory pids\n");
  }
  assert.equal(CgroupTree.open({ base, name: "jobs" }).controllers.size, 4);
  assert.equal(read(base, "cgroup.subtree_control"), "cpu io memory pids\n");
  await Deno.remove(base, { recursive: true });
});

Deno.test("CgroupTree.check() gives the reason for each limit whose controller is missing", async () => {
  const base = await fakeBase("cpu hugetlb");
  const cgroups = CgroupTree.open({ base, name: "jobs" });
  assert.deepEqual([...cgroups.controllers], ["cpu"]);
  cgroups.check({ maxCpus: 1 }, "/");
  const error = thrown(() => cgroups.check({ maxCpus: 1, maxMemoryBytes: 2 ** 30 }, "/"));
  assert.ok(error instanceof NotEnforceableError);
  assert.equal(
    error.message,
    'Cannot limit memory on this server: its cgroup has no controller "memory" (it was not delegated, or is of version 1)',
  );
  assert.ok(!error.message.includes(base), "A caller learns no path of the host");
  assert.match(String(thrown(() => cgroups.check({ maxProcesses: 1 }, "/"))), /Cannot limit the number of processes/);
  assert.match(String(thrown(() => cgroups.check({ maxReadBytesPerS: 1 }, "/"))), /Cannot limit disk bandwidth on/);
  await Deno.remove(base, { recursive: true });
});

Deno.test("CgroupTree.open() works below a cgroup that delegates no controller", async () => {
  const base = await fakeBase("memory");
  await Deno.remove(join(base, "cgroup.subtree_control"));
  await Deno.mkdir(join(base, "cgroup.subtree_control"));
  const cgroups = CgroupTree.open({ base, name: "jobs" });
  assert.match(cgroups.lacking.get("memory") ?? "", /^the controller "memory" cannot be used: .* \(EISDIR\)$/);
  assert.equal(cgroups.controllers.size, 0);
  await Deno.remove(base, { recursive: true });
});

/** Creates a base that is not the root of the hierarchy. */
async function fakeBelow(pids: string): Promise<string> {
  const base = await fakeBase();
  await Deno.writeTextFile(join(base, "cgroup.type"), "domain\n");
  await Deno.writeTextFile(join(base, "cgroup.procs"), pids);
  return base;
}

Deno.test("CgroupTree.open() leaves the cgroup above before it enables a controller", async () => {
  const base = await fakeBelow(`${Deno.pid}\n`);
  const written: string[] = [];
  const original = Deno.writeTextFileSync;
  Deno.writeTextFileSync = (path, data, options) => {
    written.push(`${path} ${data}`);
    original(path, data, options);
  };
  try {
    assert.equal(CgroupTree.open({ base, name: "jobs" }).lacking.size, 0);
  } finally {
    Deno.writeTextFileSync = original;
  }
  assert.equal(written[0], `${join(base, HOST_LEAF, "cgroup.procs")} 0`);
  assert.match(written[1] ?? "", /cgroup\.subtree_control \+cpu$/);
  await Deno.remove(base, { recursive: true });
});

Deno.test("CgroupTree.open() enables no controller while the cgroup above has other processes", async () => {
  for (const pids of [`${Deno.pid}\n1\n`, "1\n", `${Deno.pid}\n0\n`]) {
    const base = await fakeBelow(pids);
    const cgroups = CgroupTree.open({ base, name: "jobs" });
    assert.equal(cgroups.controllers.size, 0);
    assert.equal(
      cgroups.lacking.get("cpu"),
      'the controller "cpu" cannot be used: other processes are in its cgroup; start the server in a cgroup of its own',
    );
    assert.equal(read(base, "cgroup.subtree_control"), "\n");
    await Deno.remove(base, { recursive: true });
  }
});

Deno.test("CgroupTree.open() does not move when the cgroup above has no processes", async () => {
  const base = await fakeBelow("");
  assert.equal(CgroupTree.open({ base, name: "jobs" }).controllers.size, 4);
  assert.throws(() => Deno.statSync(join(base, HOST_LEAF)), Deno.errors.NotFound);
  await Deno.remove(base, { recursive: true });
});

Deno.test("CgroupTree.open() finds its own cgroup, and uses the parent of the leaf of a server", async () => {
  const base = await fakeBase();
  await Deno.mkdir(join(base, HOST_LEAF));
  const proc = await fakeProc(base, `0::/${HOST_LEAF}\n`);
  assert.equal(CgroupTree.open({ name: "jobs", proc }).directory, join(base, "jobs"));
  await Deno.writeTextFile(join(proc, "self", "cgroup"), "0::/\n");
  assert.equal(CgroupTree.open({ name: "jobs", proc }).directory, join(base, "jobs"));
  for (const directory of [base, proc]) await Deno.remove(directory, { recursive: true });
});

Deno.test("CgroupTree.open() gives two job hosts in one leaf a tree each, next to it", async () => {
  const base = await fakeBelow("");
  await Deno.mkdir(join(base, HOST_LEAF));
  const proc = await fakeProc(base, `0::/${HOST_LEAF}\n`);
  for (const name of ["jobs-of-the-first", "jobs-of-the-second"]) {
    const cgroups = CgroupTree.open({ name, proc });
    assert.equal(cgroups.directory, join(base, name));
    assert.equal(cgroups.controllers.size, 4);
  }
  // Both hosts stay in the leaf: a service manager has placed them, or the first has moved there.
  assert.throws(() => Deno.statSync(join(base, HOST_LEAF, "cgroup.procs")), Deno.errors.NotFound);
  for (const directory of [base, proc]) await Deno.remove(directory, { recursive: true });
});

Deno.test("makeRoomForJobHost() moves a process that is alone, and no other", async () => {
  for (const [pids, isMoved] of [[`${Deno.pid}\n`, true], [`${Deno.pid}\n1\n`, false], ["", false]] as const) {
    const base = await fakeBelow(pids);
    const proc = await fakeProc(base, "0::/\n");
    makeRoomForJobHost(proc);
    const moved = await Deno.readTextFile(join(base, HOST_LEAF, "cgroup.procs")).catch(() => undefined);
    assert.equal(moved, isMoved ? "0" : undefined);
    for (const directory of [base, proc]) await Deno.remove(directory, { recursive: true });
  }
  makeRoomForJobHost("/nonexistent");
});

Deno.test("CgroupTree.open() gives the reason when jobs cannot have cgroups", async () => {
  const base = await fakeBase();
  const proc = await fakeProc(base, "3:memory:/\n");
  const file = join(base, "cgroup.controllers");
  const cases: readonly (readonly [() => CgroupTree, RegExp])[] = [
    [() => CgroupTree.open({ name: "jobs", proc }), /^no mount of cgroup v2 shows the server's own cgroup$/],
    [() => CgroupTree.open({ name: "jobs", proc: join(base, "none") }), /^\/proc cannot be read \(ENOENT\)$/],
    [() => CgroupTree.open({ name: "jobs", base: join(base, "none") }), /^".*\/none" is not a cgroup of version 2$/],
    [() => CgroupTree.open({ name: "jobs", base: file }), /^".*" is not a cgroup of version 2$/],
    // A plain directory, as a cgroup of version 1 would be.
    [() => CgroupTree.open({ name: "jobs", base: proc }), /is not a cgroup of version 2$/],
    [() => CgroupTree.open({ name: "cgroup.procs", base }), /^cgroups cannot be created in ".*" \(EEXIST\)$/],
  ];
  for (const [open, message] of cases) {
    const error = thrown(open);
    assert.ok(error instanceof CgroupUnavailableError);
    assert.match(error.message, message);
  }
  for (const directory of [base, proc]) await Deno.remove(directory, { recursive: true });
});

Deno.test("CgroupTree.open() gives the reason when no process can join a cgroup", async () => {
  const base = await fakeBase();
  // A plain directory refuses the process.
  await Deno.mkdir(join(base, "jobs", "trial", "cgroup.procs"), { recursive: true });
  const error = thrown(() => CgroupTree.open({ name: "jobs", base }));
  assert.ok(error instanceof CgroupUnavailableError);
  assert.match(error.message, /^processes cannot be moved to cgroups in "\/.*" \(.*directory\)$/i);
  await Deno.remove(base, { recursive: true });
});

Deno.test("CgroupTree.create() writes the limits of a job to its cgroup", async () => {
  const base = await fakeBase();
  const cgroups = CgroupTree.open({ base, name: "jobs" });
  const limits = { maxMemoryBytes: 50_000_000, maxCpus: 0.5, maxProcesses: 20 };
  cgroups.check(limits, "/no/such/directory");
  const { directory } = cgroups.create("one", limits, "/no/such/directory");
  assert.equal(directory, cgroups.directoryOf("one"));
  assert.equal(read(directory, "memory.max"), "50000000");
  assert.equal(read(directory, "memory.swap.max"), "0");
  assert.equal(read(directory, "memory.oom.group"), "1");
  assert.equal(read(directory, "cpu.max"), "50000 100000");
  assert.equal(read(directory, "pids.max"), "20");
  const plain = cgroups.create("two", {}, "/");
  assert.deepEqual([...Deno.readDirSync(plain.directory)], []);
  await Deno.remove(base, { recursive: true });
});

Deno.test("CgroupTree.create() limits the disk of the path, or of the job's directory", async () => {
  const base = await fakeBase();
  const cgroups = CgroupTree.open({ base, name: "jobs" });
  // If this directory is not on a disk (overlay, memory), the limit is refused, which is right too.
  const disk = /^[1-9][0-9]*:[0-9]+ rbps=4096 wbps=8192$/;
  const limits = { maxReadBytesPerS: 4_096, maxWriteBytesPerS: 8_192 };
  for (const [id, more, cwd] of [["a", {}, base], ["b", { ioPath: base }, "/"]] as const) {
    try {
      assert.match(read(cgroups.create(id, { ...limits, ...more }, cwd).directory, "io.max"), disk);
    } catch (error) {
      assert.ok(error instanceof NotEnforceableError && /is on no disk/.test(error.message), String(error));
    }
  }
  const memory = thrown(() => cgroups.create("c", { ...limits, ioPath: "/proc" }, "/"));
  assert.ok(memory instanceof NotEnforceableError && /"\/proc": it is not on a disk/.test(memory.message));
  const absent = thrown(() => cgroups.create("d", { ...limits, ioPath: "/no/such/path" }, "/"));
  assert.ok(absent instanceof NotEnforceableError && /cannot be read \(ENOENT\)/.test(absent.message));
  await Deno.remove(base, { recursive: true });
});

Deno.test("CgroupTree.create() throws when the cgroup exists", async () => {
  const base = await fakeBase();
  const cgroups = CgroupTree.open({ base, name: "jobs" });
  cgroups.create("one", {}, "/");
  assert.ok(thrown(() => cgroups.create("one", {}, "/")) instanceof Deno.errors.AlreadyExists);
  await Deno.remove(base, { recursive: true });
});

Deno.test("CgroupTree.clean() kills and removes the cgroups of the previous server", async () => {
  const base = await fakeBase();
  const cgroups = CgroupTree.open({ base, name: "jobs" });
  const { directory } = cgroups.create("left", {}, "/");
  const { directory: empty } = cgroups.create("empty", {}, "/");
  await Deno.writeTextFile(join(directory, "note"), "A made-up cgroup with files cannot be removed as a real one");
  await cgroups.clean();
  assert.equal(read(directory, "cgroup.kill"), "1");
  assert.equal(read(empty, "cgroup.kill"), "1");
  await Deno.remove(base, { recursive: true });
});

async function fakeProc(mount: string, cgroups: string): Promise<string> {
  const proc = await Deno.makeTempDir({ prefix: "teleport-test-proc-" });
  await Deno.mkdir(join(proc, "self"));
  const line = `30 23 0:26 / ${mount} rw,relatime - cgroup2 cgroup2 rw\n`;
  await Deno.writeTextFile(join(proc, "self", "mountinfo"), line);
  await Deno.writeTextFile(join(proc, "self", "cgroup"), cgroups);
  return proc;
}
