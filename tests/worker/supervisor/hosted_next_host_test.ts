/** Tests of starts that a job host refuses or never gets, and of the report on jobs whose host has died. */
import "../../support/plain_start.ts";
import assert from "node:assert/strict";
import { HostUnavailableError, Supervisor } from "../../../mod.ts";
import { eventually } from "../../support/deadline.ts";
import { finalStatus } from "../../support/final_status.ts";
import { withDirectory } from "../store/store_fixture.ts";
import { LocalHosts } from "./job_host_fixture.ts";
import { PATIENT, startUp } from "./supervisor_fixture.ts";

/** How the link to a host is lost before an answer, and how many hosts are launched in the end. */
const LOSSES: readonly [what: string, lose: (hosts: LocalHosts) => Promise<void>, launched: number][] = [
  ["ends in order", (hosts) => hosts.end(), 2],
  ["loses its link", (hosts) => Promise.resolve(hosts.link.break(new Error("the socket was closed"))), 1],
];

Deno.test("a host that stops its jobs refuses a start as unavailable, and the job can be started later", () =>
  withDirectory(async (directory) => {
    await using hosts = new LocalHosts(directory);
    await using supervisor = new Supervisor({ directory, hosts, stopsJobs: true });
    const slow = await startUp(supervisor, ["-c", 'trap "" TERM; echo up; exec sleep 1000']);
    const stopping = hosts.current.stopJobs(60_000);
    const id = await supervisor.add("sh", PATIENT);
    await assert.rejects(supervisor.start(id), HostUnavailableError);
    assert.equal((await supervisor.status(id)).state, "INITIAL");
    await hosts.current.stopJobs(0);
    await stopping;
    assert.equal((await finalStatus(supervisor, slow)).reason, "SHUTDOWN");
    assert.equal((await supervisor.start(id)).state, "RUNNING");
  }));

Deno.test("a start that never reached its host, which then ended in order, is made on the next host", () =>
  withDirectory(async (directory) => {
    await using hosts = new LocalHosts(directory);
    await using supervisor = new Supervisor({ directory, hosts, stopsJobs: true });
    const id = await supervisor.add("sh", PATIENT);
    await supervisor.isolations(); // Starts a host.
    hosts.faults.start = () => Promise.reject(new HostUnavailableError("process 1 does not answer"));
    await assert.rejects(supervisor.start(id, { by: "ann" }), HostUnavailableError);
    assert.equal((await supervisor.status(id)).state, "STARTING");
    delete hosts.faults.start;
    await hosts.end();
    await eventually(async () => (await supervisor.status(id)).state === "RUNNING", "the start on the next host");
    assert.equal((await supervisor.status(id)).requestedBy?.startedBy, "ann");
    assert.equal(hosts.launched, 2);
  }));

for (const [what, lose, launched] of LOSSES) {
  Deno.test(`a start whose host ${what} before its answer is made again, and the caller gets that answer`, () =>
    withDirectory(async (directory) => {
      await using hosts = new LocalHosts(directory);
      await using supervisor = new Supervisor({ directory, hosts, stopsJobs: true });
      const id = await supervisor.add("sh", PATIENT);
      await supervisor.isolations(); // Starts a host.
      hosts.faults.start = async () => {
        delete hosts.faults.start;
        await lose(hosts);
        throw new HostUnavailableError("process 1 has ended the connection");
      };
      assert.equal((await supervisor.start(id, { by: "ann" })).state, "RUNNING");
      assert.equal((await supervisor.status(id)).requestedBy?.startedBy, "ann");
      assert.equal(hosts.launched, launched);
    }));

  Deno.test(`a question to a host that ${what} before its answer is asked again`, () =>
    withDirectory(async (directory) => {
      await using hosts = new LocalHosts(directory);
      await using supervisor = new Supervisor({ directory, hosts });
      const isolations = await supervisor.isolations();
      hosts.faults.isolations = async () => {
        delete hosts.faults.isolations;
        await lose(hosts);
        throw new HostUnavailableError("process 1 has ended the connection");
      };
      assert.deepEqual(await supervisor.isolations(), isolations);
      assert.equal(hosts.launched, launched);
    }));
}

for (const form of ["in this process", "in a job host"]) {
  Deno.test(`a supervisor says in one line which jobs of an earlier one are LOST: jobs ${form}`, () =>
    withDirectory(async (directory) => {
      await using hosts = new LocalHosts(directory);
      const ids: string[] = [];
      {
        await using supervisor = new Supervisor({ directory, hosts });
        for (let count = 0; count < 12; count++) {
          ids.push(await startUp(supervisor, ["-c", "echo up; exec sleep 1000"]));
        }
      }
      hosts.kill();
      const warnings: string[] = [];
      const onWarning = (message: string) => warnings.push(message);
      const own = form === "in a job host" ? { hosts } : {};
      await using supervisor = new Supervisor({ directory, ...own, stopsJobs: true, onWarning });
      await supervisor.ready();
      assert.equal(warnings.length, 1, warnings.join("\n"));
      assert.match(warnings[0] ?? "", /^Jobs whose end nobody saw are LOST: 12 \("[^"]+", .* and 2 more\)$/);
      assert.ok(ids.some((id) => warnings[0]?.includes(id)));
    }));
}
