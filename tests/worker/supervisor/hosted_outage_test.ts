/** Watchers of jobs whose job host does not answer: they get what is known, and then the outage. */
import "../../support/plain_start.ts";
import assert from "node:assert/strict";
import { HostUnavailableError, type JobEvent, Supervisor } from "../../../mod.ts";
import { deadline, eventually } from "../../support/deadline.ts";
import { withDirectory } from "../store/store_fixture.ts";
import { LocalHosts } from "./job_host_fixture.ts";
import { PATIENT, startUp } from "./supervisor_fixture.ts";

/** A supervisor with a running job, whose host a test lets fall silent. */
async function withRunningJob(
  test: (parts: { readonly supervisor: Supervisor; readonly hosts: LocalHosts; readonly id: string }) => Promise<void>,
): Promise<void> {
  await withDirectory(async (directory) => {
    await using hosts = new LocalHosts(directory);
    await using supervisor = new Supervisor({ directory, hosts, stopsJobs: true });
    await test({ supervisor, hosts, id: await startUp(supervisor) });
    hosts.link.events?.availability(true);
  });
}

/** Reads an iteration to its error. */
async function untilOutage<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const read: Item[] = [];
  await assert.rejects(
    deadline((async () => {
      for await (const item of items) read.push(item);
    })()),
    HostUnavailableError,
  );
  return read;
}

/** Returns the types of events up to `current`. */
async function untilCurrent(events: AsyncIterator<JobEvent>): Promise<string[]> {
  const types: string[] = [];
  while (types.at(-1) !== "current") types.push((await deadline(events.next())).value.type);
  return types;
}

Deno.test("watchers that wait get the outage of the job host when it falls silent", () =>
  withRunningJob(async ({ supervisor, hosts, id }) => {
    const status = supervisor.watchStatus(id);
    assert.equal((await status.next()).value?.state, "RUNNING");
    const output = supervisor.watchOutput(id);
    await output.next();
    const byId = supervisor.watchJobs({ ids: [id] });
    const all = supervisor.watchJobs();
    assert.deepEqual(await untilCurrent(byId), ["known", "current"]);
    assert.deepEqual(await untilCurrent(all), ["known", "current"]);
    const ends = Promise.all([status, output, byId, all].map((watch) => untilOutage<unknown>(watch)));
    hosts.link.events?.availability(false);
    assert.deepEqual(await ends, [[], [], [], []]);
  }));

Deno.test("watchers that begin while the job host is silent get what is known, and then the outage", () =>
  withRunningJob(async ({ supervisor, hosts, id }) => {
    hosts.link.events?.availability(false);
    assert.deepEqual((await untilOutage(supervisor.watchStatus(id))).map(({ state }) => state), ["RUNNING"]);
    assert.deepEqual((await untilOutage(supervisor.watchJobs({ ids: [id] }))).map(({ type }) => type), [
      "known",
      "current",
    ]);
    hosts.link.events?.availability(true);
    const status = supervisor.watchStatus(id);
    await status.next();
    const end = status.next();
    await supervisor.stop(id);
    assert.match(String((await deadline(end)).value?.state), /^(STOPPING|EXITED)$/);
  }));

Deno.test("watchers of other jobs continue while a job host is silent", () =>
  withRunningJob(async ({ supervisor, hosts }) => {
    const other = await supervisor.add("sh", PATIENT, { labels: { team: "b" } });
    const byId = supervisor.watchJobs({ ids: [other] });
    const byLabel = supervisor.watchJobs({ labels: { team: "b" } });
    const status = supervisor.watchStatus(other);
    assert.equal((await status.next()).value?.state, "INITIAL");
    await untilCurrent(byId);
    await untilCurrent(byLabel);
    hosts.link.events?.availability(false);
    const [one, two] = [byId.next(), byLabel.next()];
    const end = assert.rejects(deadline(status.next()), /not found|does not exist|Unknown/i);
    await supervisor.remove(other);
    assert.deepEqual((await deadline(Promise.all([one, two]))).map(({ value }) => (value as JobEvent).type), [
      "removed",
      "removed",
    ]);
    await end;
  }));

Deno.test("watchers get the outage while a job host is dead and no other one can be started, and then the end", () =>
  withRunningJob(async ({ supervisor, hosts, id }) => {
    const status = supervisor.watchStatus(id);
    await status.next();
    hosts.launchError = new HostUnavailableError("none can be started");
    hosts.kill();
    await assert.rejects(deadline(status.next()), /process \d+ .* has died, and its jobs are not ended yet/);
    hosts.launchError = undefined;
    const isLost = async () => (await supervisor.status(id)).state === "LOST";
    await eventually(isLost, "the recovery of the job by the next host");
    await supervisor.start(await supervisor.add("sh", PATIENT));
  }));
