/** Which job host of a service becomes its main process. */
import assert from "node:assert/strict";
import { InstanceDirectory } from "../../../teleportd/host/instance_directory.ts";
import { MainProcess } from "../../../teleportd/host/main_process.ts";
import { tempDir } from "../../support/temp_dir.ts";

/** Makes the directory of a job host that lives until it is disposed of. */
async function livingHost(data: string, instance: string, pid: number, stays = true) {
  const directory = await InstanceDirectory.create(data, instance);
  const startedAt = new Date(pid * 1_000).toISOString();
  await directory.publish({
    pid,
    version: "1.0.0",
    startedAt,
    stays,
    cgroup: "auto",
    allowsNewPrivileges: false,
    inherited: "",
  });
  return directory;
}

function mainOf(data: string, instance: string) {
  const seen: (number | "takes over")[] = [];
  const handOver = (pid: number) => void seen.push(pid);
  return { main: new MainProcess(data, instance, { handOver, takeOver: () => seen.push("takes over") }), seen };
}

Deno.test("handOverTo() names the process of a job host, and handOverToOther() then hands over no more", async () => {
  await using dir = await tempDir();
  using _one = await livingHost(dir.path, "one", 1);
  using _two = await livingHost(dir.path, "two", 2);
  const { main, seen } = mainOf(dir.path, "one");
  await main.handOverTo("two");
  await main.handOverToOther();
  assert.deepEqual(seen, [2]);
});

Deno.test("handOverToOther() names the newest other job host that lives and stays", async () => {
  await using dir = await tempDir();
  const { main, seen } = mainOf(dir.path, "one");
  using _one = await livingHost(dir.path, "one", 5);
  await main.handOverToOther();
  assert.deepEqual(seen, []);
  using _two = await livingHost(dir.path, "two", 2);
  using _three = await livingHost(dir.path, "three", 3);
  using _of_a_server = await livingHost(dir.path, "four", 4, false);
  (await livingHost(dir.path, "dead", 6))[Symbol.dispose]();
  await main.handOverToOther();
  assert.deepEqual(seen, [3]);
});

Deno.test("mayBeMain() lets a job host hand over again that a server uses again", async () => {
  await using dir = await tempDir();
  using _one = await livingHost(dir.path, "one", 1);
  using _two = await livingHost(dir.path, "two", 2);
  const { main, seen } = mainOf(dir.path, "one");
  main.mayBeMain();
  await main.handOverTo("two");
  main.mayBeMain();
  await main.handOverToOther();
  assert.deepEqual(seen, [2, "takes over", 2]);
});
