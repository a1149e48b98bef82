/** How a server speaks about a job host whose link has ended. */
import assert from "node:assert/strict";
import { DirectoryHosts } from "../../../teleportd/host/directory_hosts.ts";
import { startAdvice } from "../../../teleportd/host/external_start.ts";
import { InstanceDirectory } from "../../../teleportd/host/instance_directory.ts";
import { tempDir } from "../../support/temp_dir.ts";

/** The options that all job hosts of these tests have. */
function optionsFor(data: string) {
  return { data, version: "1.0.0", inherited: "", command: [], run: RUN };
}

const RUN = { cgroup: "off", logLevel: "info", logFormat: "text" } as const;

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
      ...optionsFor(dir.path),
      isExternal: false,
      log: { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") },
    });
    assert.equal(await hosts.connect("one"), undefined);
    assert.deepEqual(lines, [expected]);
  });
}

Deno.test("startAdvice() names both users when they differ", () => {
  assert.match(startAdvice("/d a"), /teleportd-host, or run teleportd host run --stay --data '\/d a'$/);
  assert.match(
    startAdvice("/d", "jobs", 7),
    /or run as user jobs teleportd host run --stay --server-user 7 --data \/d$/,
  );
});

Deno.test("launch() of an external host tells users less than the log, which has it once", async () => {
  await using dir = await tempDir();
  const errors: string[] = [];
  const ignore = () => {};
  const hosts = new DirectoryHosts({
    ...optionsFor(dir.path),
    isExternal: true,
    hostUser: "jobs",
    launchMs: 1,
    log: { debug: ignore, info: ignore, warn: ignore, error: (text) => void errors.push(text) },
  });
  for (let call = 0; call < 2; call++) {
    await assert.rejects(hosts.launch(), {
      message: /job host: none runs, and the operator of the server must start one/,
    });
  }
  assert.equal(errors.length, 1);
  assert.match(errors[0]!, /^No job host runs: .* as user jobs teleportd host run --stay --server-user \d+ --data /);
});
