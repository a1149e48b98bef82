/** How a server speaks about a job host whose link has ended. */
import assert from "node:assert/strict";
import { DirectoryHosts } from "../../../teleportd/host/directory_hosts.ts";
import { InstanceDirectory } from "../../../teleportd/host/instance_directory.ts";
import { tempDir } from "../../support/temp_dir.ts";

for (
  const [what, isUnneeded, leavesSocket, expected] of [
    ["ended in order without a job", true, false, 'info The job host "one" has ended'],
    ["ended in order, and left the end of a job", false, false, 'info The job host "one" has ended'],
    ["was killed", false, true, 'error The job host "one" has died'],
  ] as const
) {
  Deno.test(`connect() says how a job host ended that ${what}`, async () => {
    await using dir = await tempDir();
    const host = await InstanceDirectory.create(dir.path, "one");
    if (leavesSocket) await Deno.writeTextFile(`${host.path}/socket`, "");
    host.isUnneeded = isUnneeded;
    host[Symbol.dispose]();
    const lines: string[] = [];
    const line = (level: string) => (text: string) => void lines.push(`${level} ${text}`);
    const hosts = new DirectoryHosts({
      data: dir.path,
      version: "1.0.0",
      inherited: "",
      command: [],
      run: { cgroup: "off", logLevel: "info", logFormat: "text" },
      isExternal: false,
      log: { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") },
    });
    assert.equal(await hosts.connect("one"), undefined);
    assert.deepEqual(lines, [expected]);
  });
}
