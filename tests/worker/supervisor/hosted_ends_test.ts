/** Tests that the end of a job is neither lost nor kept for ever between a job host, a supervisor and a dead host. */
import assert from "node:assert/strict";
import { HostExhaustedError, Supervisor } from "../../../mod.ts";
import type { HostConnection } from "../../../worker/host/host_connection.ts";
import type { HostedJob } from "../../../worker/host/hosted_job.ts";
import { HostRecovery, type HostRecoveryOptions } from "../../../worker/supervisor/host_recovery.ts";
import { eventually } from "../../support/deadline.ts";
import { withDirectory } from "../store/store_fixture.ts";
import { LocalHosts } from "./job_host_fixture.ts";
import { PATIENT, startUp } from "./supervisor_fixture.ts";

Deno.test("the end that a dead host has written is found although another host reports an end first", () =>
  withDirectory(async (directory) => {
    await using hosts = new LocalHosts(directory);
    const start = async () => {
      await using supervisor = new Supervisor({ directory, hosts });
      return await startUp(supervisor);
    };
    const old = await start();
    const oldHost = hosts.current;
    hosts.replaceCurrent();
    const young = await start();
    await Promise.all([oldHost.stop(old, {}), hosts.current.stop(young, {})]);
    hosts.kill();
    await hosts.launch();
    await using supervisor = new Supervisor({ directory, hosts });
    const ends = await Promise.all([old, young].map((id) => supervisor.status(id)));
    assert.deepEqual(ends.map(({ state, exitCode }) => [state, exitCode]), [["EXITED", 3], ["EXITED", 3]]);
  }));

Deno.test("a supervisor without job hosts finds the end that a dead host has written", () =>
  withDirectory(async (directory) => {
    await using hosts = new LocalHosts(directory);
    let id: string;
    {
      await using supervisor = new Supervisor({ directory, hosts });
      id = await startUp(supervisor);
    }
    await hosts.current.stop(id, {});
    hosts.kill();
    await using supervisor = new Supervisor({ directory });
    const { state, exitCode } = await supervisor.status(id);
    assert.deepEqual([state, exitCode], ["EXITED", 3]);
  }));

Deno.test("the files of a dead host are kept until the ends that its jobs have reported are stored", async () => {
  const discarded: string[] = [];
  const link = { discard: (instance: string) => Promise.resolve(void discarded.push(instance)) };
  const recovery = new HostRecovery({ pool: { current: { open: link } } } as unknown as HostRecoveryOptions);
  await recovery.recoverStored([], () => assert.fail());
  const host = { instance: "a1", name: "a1" } as HostConnection;
  await recovery.recoverOf(host, [{ id: "one", isRunningState: false } as HostedJob]);
  assert.deepEqual(discarded, []);
  recovery.settled("one");
  assert.deepEqual(discarded, ["a1"]);
});

Deno.test("a host forgets an end that was stored while its link was lost", () =>
  withDirectory(async (directory) => {
    await using hosts = new LocalHosts(directory);
    await using supervisor = new Supervisor({ directory, hosts });
    const id = await startUp(supervisor);
    await using output = supervisor.watchOutput(id); // It keeps the object of the job.
    hosts.faults.forget = () => {};
    assert.equal((await supervisor.stop(id)).state, "EXITED");
    delete hosts.faults.forget;
    assert.equal(hosts.current.hasJobs, true);
    hosts.link.break(new Error("the socket was closed"));
    await eventually(() => !hosts.current.hasJobs, "the host forgets the job");
    await output.return?.(undefined as never);
  }));

Deno.test("a start without an answer is not repeated at the same time, so that its refusal holds", () =>
  withDirectory(async (directory) => {
    await using hosts = new LocalHosts(directory);
    await using supervisor = new Supervisor({ directory, hosts, stopsJobs: true });
    await startUp(supervisor);
    const id = await supervisor.add("sh", PATIENT);
    const answer = Promise.withResolvers<void>();
    let requests = 0;
    hosts.faults.start = () => {
      requests += 1;
      return answer.promise;
    };
    const refused = assert.rejects(supervisor.start(id), HostExhaustedError);
    await eventually(() => requests > 0, "the request");
    hosts.link.events?.availability(false);
    hosts.link.events?.availability(true);
    answer.reject(new HostExhaustedError("no pids"));
    await refused;
    assert.deepEqual([requests, (await supervisor.status(id)).state], [1, "INITIAL"]);
  }));
