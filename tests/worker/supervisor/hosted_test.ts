/** Tests of a supervisor whose jobs run in job hosts. */
import assert from "node:assert/strict";
import { deadline } from "../../support/deadline.ts";
import { withDirectory } from "../store/store_fixture.ts";
import { Supervisor } from "../../../mod.ts";
import { LocalHosts } from "./job_host_fixture.ts";
import { read, states } from "./supervisor_fixture.ts";

Deno.test("a supervisor runs a job in a job host that it launches for the first start", () =>
  withDirectory(async (directory) => {
    await using hosts = new LocalHosts(directory);
    await using supervisor = new Supervisor({ directory, hosts });
    const id = await supervisor.add("sh", ["-c", "echo one; echo two >&2; exit 7"]);
    assert.equal(hosts.launched, 0);
    const seen = states(supervisor.watchStatus(id, { skipInitial: true }));
    const started = await supervisor.start(id, { by: "ann" });
    assert.equal(started.requestedBy?.startedBy, "ann");
    assert.equal(hosts.launched, 1);
    const { text, end } = await read(supervisor.watchOutput(id, { stream: "stdout" }));
    assert.equal(text, "one\n");
    assert.equal(end.status.exitCode, 7);
    assert.equal(end.status.stderrBytes, 4);
    assert.deepEqual(await deadline(seen), ["STARTING", "RUNNING", "EXITED"]);
    assert.equal(hosts.current.isIdle, false);
    assert.deepEqual(await hosts.current.attach({} as never), []);
  }));
