/** How others find a job host, and wait for its end. */
import assert from "node:assert/strict";
import { connectHost, HostConnectError } from "../../../job_host.ts";
import { findInstances, InstanceDirectory, untilEnd } from "../../../teleportd/host/instance_directory.ts";
import { deadline } from "../../support/deadline.ts";
import { tempDir } from "../../support/temp_dir.ts";

/** Returns the number of open files of this process in a directory. */
function openFilesIn(directory: string): number {
  let count = 0;
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      if (Deno.readLinkSync(`/proc/self/fd/${name}`).startsWith(directory)) count++;
    } catch {
      // The descriptor of the list itself.
    }
  }
  return count;
}

Deno.test("untilEnd() with a limit leaves no descriptor open when the job host lives on", async () => {
  await using dir = await tempDir();
  using host = await InstanceDirectory.create(dir.path, "one");
  const before = openFilesIn(dir.path);
  assert.equal(await untilEnd(host, 20), false);
  assert.equal(openFilesIn(dir.path), before);
});

Deno.test("untilEnd() returns true when the job host ends, with and without a limit", async () => {
  await using dir = await tempDir();
  const host = await InstanceDirectory.create(dir.path, "one");
  const ends = [untilEnd(host, 60_000), untilEnd(host)];
  host[Symbol.dispose]();
  assert.deepEqual(await deadline(Promise.all(ends), "the end of the job host"), [true, true]);
  assert.equal(await untilEnd({ path: `${dir.path}/hosts/two` }, 1), true);
});

for (const name of ["info.json", "lock", "key"]) {
  Deno.test(`a named pipe in place of "${name}" does not block the search for job hosts`, async () => {
    await using dir = await tempDir();
    using host = await InstanceDirectory.create(dir.path, "one");
    await host.publish({
      pid: Deno.pid,
      version: "1.0.0",
      startedAt: new Date().toISOString(),
      stays: true,
      cgroup: "off",
      allowsNewPrivileges: false,
      inherited: "",
    });
    using _listener = Deno.listen({ transport: "unix", path: `${host.path}/socket` });
    await Deno.remove(`${host.path}/${name}`).catch(() => {});
    await new Deno.Command("mkfifo", { args: [`${host.path}/${name}`] }).output();
    const [found] = await deadline(findInstances(dir.path), "the job hosts");
    assert.deepEqual([found?.isAlive, found?.info === undefined], [true, name === "info.json"]);
    await assert.rejects(deadline(connectHost(host.path), "an answer"), HostConnectError);
    assert.equal(await deadline(untilEnd(host, 20), "the end of the wait"), false);
  });
}

Deno.test("facts that are too long, or of another form, count as unknown", async () => {
  await using dir = await tempDir();
  using host = await InstanceDirectory.create(dir.path, "one");
  for (const text of ["null", "5", "{}", '{"pid":"1","version":"1","startedAt":""}', `"${"x".repeat(100_000)}"`]) {
    await Deno.writeTextFile(`${host.path}/info.json`, text);
    assert.deepEqual(await findInstances(dir.path), [{ instance: "one", path: host.path, isAlive: true }]);
  }
});

Deno.test("a half-made directory that a killed job host has left is removed by the next one, and no other", async () => {
  await using dir = await tempDir();
  const names = () => [...Deno.readDirSync(`${dir.path}/hosts`)].map(({ name }) => name).sort();
  for (const name of [".killed", ".new", ".locked"]) {
    await Deno.mkdir(`${dir.path}/hosts/${name}`, { recursive: true });
    await Deno.writeTextFile(`${dir.path}/hosts/${name}/lock`, "");
    if (name !== ".new") await Deno.utime(`${dir.path}/hosts/${name}`, 0, 0);
  }
  using lock = await Deno.open(`${dir.path}/hosts/.locked/lock`, { write: true });
  await lock.lock(true);
  using _host = await InstanceDirectory.create(dir.path, "one");
  assert.deepEqual(names(), [".locked", ".new", "one"]);
  await assert.rejects(InstanceDirectory.create(dir.path, "one"), { name: "StartError" });
  assert.deepEqual(names(), [".locked", ".new", "one"]);
});

Deno.test("nobody finds the directory of a job host that was killed while it removed it", async () => {
  await using dir = await tempDir();
  const host = await InstanceDirectory.create(dir.path, "one");
  await Deno.writeTextFile(`${host.path}/ends.journal`, "");
  host.isUnneeded = true;
  const original = Deno.removeSync;
  Deno.removeSync = () => {
    throw new Error("killed");
  };
  try {
    host[Symbol.dispose]();
  } finally {
    Deno.removeSync = original;
  }
  assert.deepEqual(await findInstances(dir.path), []);
  await Deno.utime(`${dir.path}/hosts/.one`, 0, 0);
  using _next = await InstanceDirectory.create(dir.path, "two");
  assert.deepEqual([...Deno.readDirSync(`${dir.path}/hosts`)].map(({ name }) => name), ["two"]);
});
