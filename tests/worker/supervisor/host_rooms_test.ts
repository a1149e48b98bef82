/** Tests of the disk space that job hosts get for the output of running jobs. */
import assert from "node:assert/strict";
import { Supervisor } from "../../../mod.ts";
import { HostConnection } from "../../../worker/host/host_connection.ts";
import type { HostedJobState, HostLink } from "../../../worker/host/link.ts";
import { OutputBudget } from "../../../worker/output/limit.ts";
import { HostRooms } from "../../../worker/supervisor/host_rooms.ts";
import { finalStatus } from "../../support/final_status.ts";
import { withDirectory } from "../store/store_fixture.ts";
import { LocalHosts } from "./job_host_fixture.ts";

/** A host that notes the rooms that it gets. */
function fakeHost(instance: string): { readonly host: HostConnection; readonly rooms: (number | undefined)[] } {
  const rooms: (number | undefined)[] = [];
  const host = new HostConnection(instance);
  host.use({ info: { instance, pid: 1 }, setRoom: (bytes: number) => rooms.push(bytes) } as unknown as HostLink);
  return { host, rooms };
}

/** Returns the state of a job whose output has a size. */
function writing(bytes: number): HostedJobState {
  const end = { position: bytes, offsets: { stdout: bytes, stderr: 0 } };
  return { id: "job", changes: [], live: { log: { start: end, end } } } as unknown as HostedJobState;
}

Deno.test("HostRooms gives the host for new jobs all space that nobody else has, once for many changes", async () => {
  const { host, rooms } = fakeHost("new");
  const old = fakeHost("old");
  const budget = new OutputBudget(100);
  budget.addExisting(10);
  const all = new HostRooms({ budget, current: () => host, runningBytes: () => 0, makeRoom: () => {} });
  all.attached(host, []);
  all.attached(old.host, [writing(20)]);
  await Promise.resolve();
  assert.deepEqual([rooms, old.rooms], [[90, 70], [20]]);
  for (const bytes of [1, 2, 3]) {
    budget.addExisting(bytes);
    all.update();
  }
  await Promise.resolve();
  assert.deepEqual(rooms, [90, 70, 64]);
  all.remove(old.host);
  await Promise.resolve();
  assert.deepEqual(rooms, [90, 70, 64, 84]);
});

Deno.test("HostRooms makes room for a host that asks, and answers with the same room when there is none", () => {
  const { host, rooms } = fakeHost("new");
  const old = fakeHost("old");
  const budget = new OutputBudget(100);
  budget.addExisting(60);
  const made: number[] = [];
  const all = new HostRooms({
    budget,
    current: () => host,
    runningBytes: () => 5,
    makeRoom: (bytes) => {
      made.push(bytes);
      budget.release(Math.min(bytes, budget.usedBytes));
    },
  });
  all.attached(host, []);
  all.needsRoom(host, 10);
  assert.deepEqual([made, rooms], [[10], [40, 50]]);
  all.attached(old.host, [writing(20)]);
  // The older host gets what is free, without the removal of a job.
  all.needsRoom(old.host, 25);
  assert.deepEqual([made, old.rooms], [[10], [20, 45]]);
  all.needsRoom(old.host, 40);
  assert.deepEqual([made, old.rooms], [[10, 40], [20, 45, 85]]);
  all.needsRoom(old.host, 1_000);
  assert.deepEqual(old.rooms.at(-1), 85);
});

Deno.test("HostRooms removes no job for a host that is new and has not got its space yet", async () => {
  const old = fakeHost("old");
  const next = fakeHost("next");
  const budget = new OutputBudget(100);
  const made: number[] = [];
  let current = old.host;
  const all = new HostRooms({
    budget,
    current: () => current,
    runningBytes: () => 0,
    makeRoom: (bytes) => made.push(bytes),
  });
  all.attached(old.host, []);
  // The old host dies. The next one is the current one only after it was attached.
  all.remove(old.host);
  all.attached(next.host, []);
  current = next.host;
  all.needsRoom(next.host, 10);
  assert.deepEqual([made, next.rooms], [[], [0, 100]]);
  await Promise.resolve();
  // The old host had the same space. The next one still needs the message.
  const third = fakeHost("third");
  all.remove(next.host);
  all.attached(third.host, []);
  current = third.host;
  all.update();
  await Promise.resolve();
  assert.deepEqual(third.rooms, [0, 100]);
});

Deno.test("HostRooms sets no limit when there is none", () => {
  const { host, rooms } = fakeHost("new");
  const all = new HostRooms({
    budget: new OutputBudget(Infinity),
    current: () => host,
    runningBytes: () => 0,
    makeRoom: () => {},
  });
  all.attached(host, []);
  assert.deepEqual(rooms, [undefined]);
});

Deno.test("ended jobs make room for the output of a running job of a host, and the statistics count all of it", () =>
  withDirectory(async (directory) => {
    await using hosts = new LocalHosts(directory);
    await using supervisor = new Supervisor({ directory, hosts, stopsJobs: true, maxOutputBytes: 1_000_000 });
    const runs = async (script: string) => {
      const id = await supervisor.add("sh", ["-c", script]);
      await supervisor.start(id);
      return await finalStatus(supervisor, id);
    };
    const first = await runs("head -c 600000 /dev/zero");
    const { diskBytes } = await supervisor.statistics();
    assert.ok(diskBytes > 600_000 && diskBytes < 620_000, `${diskBytes}`);
    const second = await runs("head -c 700000 /dev/zero");
    assert.deepEqual([second.reason, second.droppedBytes], ["EXITED", 0]);
    assert.deepEqual((await supervisor.list()).jobs.map(({ id }) => id), [second.id]);
    assert.notEqual(first.id, second.id);
    // A job that writes just too much may end by itself before its last bytes are refused.
    const third = await runs("exec yes");
    assert.equal(third.reason, "OUTPUT_LIMIT");
    const used = await supervisor.statistics();
    assert.ok(used.diskBytes <= used.maxDiskBytes, `${used.diskBytes}`);
  }));
