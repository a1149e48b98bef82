/** Tests the calls and events of a job host over a real socket. */
import assert from "node:assert/strict";
import {
  HostUnavailableError,
  JobNotRunningError,
  SignalDeniedError,
  SurvivorsError,
  TeleportError,
} from "../../../../worker/errors.ts";
import type { HostedJobState, HostStart, JobChange } from "../../../../worker/host/link.ts";
import { ProcessInput } from "../../../../worker/process/stdin.ts";
import { deadline, eventually } from "../../../support/deadline.ts";
import { logState } from "./fake_host.ts";
import { NotedEvents, stage } from "./stage.ts";

const at = new Date(1_700_000_000_456);
const start: HostStart = {
  spec: {
    id: "a",
    command: "sh",
    args: ["-c", '{"$date":5}', "\ud800\u0000"],
    registeredAt: at,
    labels: JSON.parse('{"$date":"5","$bytes":"AQ==","__proto__":"x"}'),
    env: { $bytes: "AQ==" },
  },
  noNewPrivileges: true,
  baseEnv: { PATH: "/bin" },
};

function change(id: string, number: number): JobChange {
  return {
    id,
    number,
    status: { state: "EXITED", exitCode: 0, startedAt: at, endedAt: at, pid: 5, reason: "EXITED" },
    details: { output: { end: logState(5).end, totals: logState(5).totals }, by: "ana" },
  };
}

Deno.test("RemoteJobHost passes every call with its arguments and its answer", async () => {
  await using one = await stage();
  const { host } = one;
  const link = await one.link();
  assert.deepEqual(link.info, host.info);
  const job = { spec: start.spec, status: { state: "STARTING", startedAt: at } } as const;
  const check = { options: { labels: { a: "b" } }, cwd: "/", noNewPrivileges: false };
  assert.equal(await link.check(check), undefined);
  assert.equal((await link.isolations()).PRIVATE, "no namespaces");
  assert.equal(await link.start(start), undefined);
  await link.stop("a", { graceMs: 5, by: "ana" });
  await link.signal("a", "HUP");
  await link.signal("a", "HUP", "ana");
  await link.pause("a");
  await link.resume("a");
  assert.deepEqual(await link.usage("a"), { cpuUserUs: 5, cpuSource: "PROC" });
  assert.equal(await link.usage("none"), undefined);
  assert.deepEqual(await link.states(["a", "bb"]), { a: { log: logState(1) }, bb: { log: logState(2) } });
  assert.deepEqual(await link.watch("a"), logState(7));
  assert.equal(await link.watch("none"), undefined);
  link.unwatch("a");
  link.forget("a");
  link.setRoom(1e15);
  const recovered = await link.recover(job);
  assert.deepEqual(recovered.details.output?.totals, logState(9).totals);
  assert.deepEqual(recovered.status, { state: "LOST", reason: "LOST", error: "gone", startedAt: new Date(5) });
  await link.discard("old");
  await link.deleteOutput("a");
  await link.stopJobs(undefined);
  await link.stopJobs(0);
  link.retire(true);
  assert.equal(await link.succeed(), "next");
  assert.deepEqual(await link.work(), { runningJobs: 2, isAttached: false, isRetired: false });
  assert.deepEqual(host.calls, [
    ["check", check],
    ["isolations"],
    ["start", start],
    ["stop", "a", { graceMs: 5, by: "ana" }],
    ["signal", "a", "HUP", undefined],
    ["signal", "a", "HUP", "ana"],
    ["pause", "a", undefined],
    ["resume", "a"],
    ["usage", "a"],
    ["usage", "none"],
    ["states", ["a", "bb"]],
    ["watch", "a"],
    ["watch", "none"],
    ["unwatch", "a"],
    ["forget", "a"],
    ["recover", job],
    ["setRoom", 1e15], // It goes last in its turn, because only the newest room counts.
    ["discard", "old"],
    ["deleteOutput", "a"],
    ["stopJobs", undefined],
    ["stopJobs", 0],
    ["retire", true],
    ["succeed"],
    ["work"],
  ]);
});

Deno.test("attach() returns all jobs, and events arrive in order afterwards", async () => {
  await using one = await stage();
  const { host } = one;
  host.jobs = Array.from({ length: 150 }, (_, n): HostedJobState => ({
    id: `${n}`,
    changes: [change(`${n}`, 1)],
    ...(n % 2 === 0 ? { live: { log: logState(n), paused: {} } } : {}),
  }));
  const link = await one.link();
  const events = new NotedEvents();
  host.before = () => host.events?.needsRoom(1); // Before the answer.
  assert.deepEqual(await link.attach(events), host.jobs);
  host.before = () => {};
  assert.deepEqual(one.attached, [true]);
  for (let n = 1; n <= 1_000; n++) host.events?.grew("a", logState(n));
  host.events?.grew("b", logState(3));
  host.events?.changed(change("a", 2));
  host.events?.failed(new SurvivorsError("a", [5], true));
  host.events?.needsRoom(1e12);
  await deadline(events.count("needsRoom", 2));
  const { totals: _, ...range } = logState(1_000);
  // The growth of "a" precedes its change. Its older reports are gone.
  assert.deepEqual(events.noted[0], ["needsRoom", 1]);
  assert.deepEqual(events.noted[1], ["grew", "a", range]);
  assert.deepEqual(events.noted[2], ["changed", change("a", 2)]);
  const [, failure] = events.noted[3] as [string, Error];
  assert.ok(failure instanceof SurvivorsError);
  assert.equal(failure.message, new SurvivorsError("a", [5], true).message);
  await deadline(events.count("grew", 2));
});

Deno.test("RemoteJobHost throws errors of the same class, code and message", async () => {
  await using one = await stage();
  const link = await one.link();
  const thrown = [
    new JobNotRunningError('Job "a"', "EXITED"),
    new SignalDeniedError("send SIGHUP to", [5, 6], true),
    new TeleportError("UNAVAILABLE", "wait"),
    Object.assign(new Error("disk full"), { code: "ENOSPC" }),
    new TypeError("a defect"),
  ];
  for (const error of thrown) {
    one.host.before = () => Promise.reject(error);
    const caught = await link.signal("a", "HUP").then(() => undefined, (caught) => caught);
    assert.ok(caught instanceof Error);
    assert.equal(caught.message, error.message);
    assert.equal((caught as { code?: string }).code, (error as { code?: string }).code);
    if (error instanceof TeleportError) {
      assert.equal(caught.name, error.name);
      assert.ok(caught instanceof TeleportError && caught instanceof error.constructor);
    }
    if (error instanceof SignalDeniedError) assert.ok(caught instanceof SignalDeniedError && caught.isPartial);
  }
});

Deno.test("a connection that ends detaches, unwatches and aborts its inputs, and the host serves the next", async () => {
  await using one = await stage();
  const input = new ProcessInput();
  input.open(new WritableStream());
  one.host.inputs.set("a", input);
  const first = await one.link();
  await first.attach(new NotedEvents());
  await first.watch("a");
  await first.watch("b");
  first.unwatch("b");
  const endless = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) };
  const writing = first.writeInput("a", endless, {});
  await eventually(() => one.host.calls.some(([name]) => name === "writeInput"), "the call");
  const failed = assert.rejects(writing, HostUnavailableError);
  await first.close();
  assert.equal(await deadline(first.closed), undefined);
  await failed;
  await eventually(() => !one.server.isAttached, "the end of the connection");
  assert.deepEqual([...one.host.watched], []);
  const second = await one.link();
  await second.attach(new NotedEvents());
  const last = async function* () {
    yield { data: Uint8Array.of(1), end: true };
  };
  await second.writeInput("a", last(), {}); // The input has no writer any more.
  assert.deepEqual(one.attached, [true, false, true]);
  await assert.rejects(first.work(), HostUnavailableError);
});

Deno.test("attach() takes the events from an earlier server, whose link ends with the reason", async () => {
  await using one = await stage();
  const first = await one.link();
  const second = await one.link();
  const [firstEvents, secondEvents] = [new NotedEvents(), new NotedEvents()];
  await first.attach(firstEvents);
  await first.watch("a");
  await second.attach(secondEvents);
  assert.match(String(await deadline(first.closed)), /another server has attached/);
  assert.deepEqual([...one.host.watched], []);
  one.host.events?.changed(change("a", 1));
  await deadline(secondEvents.count("changed", 1));
  assert.deepEqual(firstEvents.noted, []);
  assert.deepEqual(one.attached, [true]);
});

Deno.test("close() of a host server ends its links with the reason, and removes the socket and the key", async () => {
  await using one = await stage();
  const link = await one.link();
  const { promise, resolve } = Promise.withResolvers<void>();
  one.host.before = () => promise;
  const call = assert.rejects(link.work(), HostUnavailableError);
  await one.server.close("it was upgraded");
  await deadline(call);
  assert.match(String(await link.closed), /process \d+ has ended the connection, because it was upgraded/);
  assert.deepEqual([...Deno.readDirSync(one.directory)], []);
  resolve();
});
