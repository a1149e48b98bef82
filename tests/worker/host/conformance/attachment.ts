/** Promises of a link about supervisors that come and go: attach, snapshots, forget, and the work of a host. */
import assert from "node:assert/strict";
import { isFinalState } from "../../../../mod.ts";
import type { HostedJobState } from "../../../../worker/host/link.ts";
import { deadline, eventually } from "../../../support/deadline.ts";
import { type HostForm, TestedHost } from "./fixture.ts";

function byId(jobs: readonly HostedJobState[]): ReadonlyMap<string, HostedJobState> {
  return new Map(jobs.map((job) => [job.id, job]));
}

function states({ changes }: HostedJobState): string[] {
  return changes.map(({ status }) => status.state);
}

/** Registers the tests for a form of the link. */
export function testAttachment(form: HostForm): void {
  const test = (name: string, run: (host: TestedHost) => Promise<void>) =>
    Deno.test(`${form.name}: ${name}`, async () => {
      await using host = await TestedHost.start(form);
      await run(host);
      assert.deepEqual(host.events.errors, []);
    });

  test("attach() returns running jobs, and jobs that ended while nobody was attached", async (host) => {
    const running = await host.runUp();
    const early = (await host.ended("echo early")).id;
    const late = await host.run("read -r line; echo late", { input: true });
    const writer = await host.connect();
    await host.leave();
    await writer.writeInput(late, ReadableStream.from([{ end: true }]), {});
    await eventually(async () => (await writer.states([late]))[late] === undefined, "the end of the job");
    const jobs = byId(await host.attachAnew());
    assert.deepEqual([...jobs.keys()].sort(), [running, early, late].sort());
    assert.deepEqual(states(jobs.get(running)!), ["STARTING", "RUNNING"]);
    assert.equal(jobs.get(running)!.live?.log.totals.stdoutBytes, 3);
    for (const [id, text] of [[early, "early\n"], [late, "late\n"]] as const) {
      const { changes, live } = jobs.get(id)!;
      assert.deepEqual(states(jobs.get(id)!), ["STARTING", "RUNNING", "EXITED"]);
      assert.deepEqual(changes.map(({ number }) => number), [1, 2, 3]);
      assert.equal(live, undefined);
      assert.equal(await host.outputOf(changes.at(-1)!), text);
    }
    assert.deepEqual(host.events.changes, [], "A snapshot is not repeated as events");
    await host.link.stop(running, {});
    assert.deepEqual(host.events.of(running).map(({ number }) => number), [3, 4]);
  });

  test("attach() replaces the supervisor before", async (host) => {
    const id = await host.runUp();
    await host.link.watch(id);
    const before = host.events;
    const count = before.changes.length;
    await host.attachAnew();
    await host.link.stop(id, {});
    await host.events.end(id);
    assert.equal(before.changes.length, count);
  });

  test("attach() gives each change either in its result or as an event, whenever it is called", async (host) => {
    const ids = await Promise.all(
      Array.from({ length: 30 }, (_, index) => host.run(`sleep 0.0${index}; echo ${index}`)),
    );
    const jobs = byId(await host.attachAnew());
    const { events } = host;
    for (const id of ids) {
      const { changes } = jobs.get(id)!;
      if (!isFinalState(changes.at(-1)!.status.state)) await events.end(id);
      const numbers = [...changes, ...events.of(id)].map(({ number }) => number);
      assert.deepEqual(numbers, [1, 2, 3]);
    }
  });

  test("forget() makes the host forget an ended job, and has no effect on a running one", async (host) => {
    const running = await host.runUp();
    const { id } = await host.ended("true");
    host.link.forget(running);
    host.link.forget(id);
    host.link.forget(id);
    host.link.forget("unknown");
    assert.deepEqual((await host.attachAnew()).map((job) => job.id), [running]);
    await host.link.stop(running, {});
    await host.events.end(running);
  });

  test("close() ends the link and not the jobs", async (host) => {
    const { link } = host;
    const id = await host.runUp();
    await link.close();
    assert.equal(await deadline(link.closed, "the end of the link"), undefined);
    const [job] = await host.attachAnew();
    assert.equal(job?.id, id);
    assert.notEqual(job?.live, undefined);
  });

  test("work() counts running jobs, and tells whether a supervisor is attached and the host is retired", async (host) => {
    const id = await host.runUp();
    await host.ended("true");
    const visitor = await host.connect();
    assert.deepEqual(await visitor.work(), { runningJobs: 1, isAttached: true, isRetired: false });
    host.link.retire(true);
    assert.deepEqual(await host.link.work(), { runningJobs: 1, isAttached: true, isRetired: true });
    host.link.retire(false);
    await host.link.stop(id, {});
    assert.deepEqual(await host.link.work(), { runningJobs: 0, isAttached: true, isRetired: false });
  });

  test("info identifies the host", ({ link: { info } }) => {
    assert.match(info.instance, /^[0-9a-f]{16}$/);
    assert.ok(info.pid > 0 && info.startedAt instanceof Date);
    assert.notEqual(info.version, "");
    assert.notEqual(info.cgroupText, "");
    assert.equal(info.cgroups, undefined);
    return Promise.resolve();
  });
}
