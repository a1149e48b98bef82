/** Tests that output which needs more room than a job host has waits for the next supervisor. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Supervisor } from "../../../mod.ts";
import { eventually } from "../../support/deadline.ts";
import { withDirectory } from "../store/store_fixture.ts";
import { LocalHosts } from "./job_host_fixture.ts";
import { startUp } from "./supervisor_fixture.ts";

Deno.test("a job of an older host may write while no supervisor is attached", () =>
  withDirectory(async (directory) => {
    await using hosts = new LocalHosts(directory);
    const options = { directory, hosts, maxOutputBytes: 100_000_000 };
    const go = join(directory, "go");
    const args = ["-c", 'echo up; while [ ! -e "$0" ]; do sleep 0.01; done; head -c 3000000 /dev/zero; exit 7', go];
    let id = "";
    {
      await using supervisor = new Supervisor(options);
      id = await startUp(supervisor, args);
    }
    const oldHost = hosts.current;
    hosts.replaceCurrent();
    {
      await using supervisor = new Supervisor(options);
      await startUp(supervisor); // On the new host.
    }
    await Deno.writeTextFile(go, "");
    // The next supervisor gives the host more room.
    await using supervisor = new Supervisor({ ...options, stopsJobs: true });
    await eventually(async () => (await oldHost.work()).runningJobs === 0, "the end of the job");
    const { exitCode, reason, stdoutBytes } = await supervisor.status(id);
    assert.deepEqual([exitCode, reason, stdoutBytes], [7, "EXITED", 3_000_003]);
  }));
