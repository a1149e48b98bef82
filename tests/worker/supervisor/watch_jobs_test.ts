/**
 * Tests for watching many jobs: a snapshot, then every change, by filter, and resumed anywhere.
 *
 * Long: all tests share the helpers that collect events.
 */
import "../../support/plain_start.ts";
import assert from "node:assert/strict";
import type { JobEvent, JobFilter, Supervisor } from "../../../mod.ts";
import { InvalidArgumentError, JobNotFoundError, SupervisorClosedError } from "../../../worker/errors.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { finalStatus } from "../../support/final_status.ts";
import { eachForm } from "./job_host_fixture.ts";

async function run(supervisor: Supervisor, id: string): Promise<void> {
  await supervisor.start(id);
  await finalStatus(supervisor, id);
}

/** Returns an event in short: its type, and the job. */
function short(event: JobEvent, names: Readonly<Record<string, string>> = {}): string {
  if (event.type === "current") return "current";
  const { id, state } = event.status;
  return `${event.type} ${names[id] ?? id} ${state}`;
}

/** Returns all events up to the one that a test waits for, inclusive. */
async function until(events: AsyncIterable<JobEvent>, last: (event: JobEvent) => boolean): Promise<JobEvent[]> {
  const seen: JobEvent[] = [];
  for await (const event of events) {
    seen.push(event);
    if (last(event)) break;
  }
  return seen;
}

const isCurrent = ({ type }: JobEvent) => type === "current";
const isEnd = (id: string) => (event: JobEvent) =>
  event.type === "changed" && event.status.id === id && event.status.state === "EXITED";

/** Returns the next events. */
async function take(events: AsyncIterator<JobEvent>, count: number): Promise<JobEvent[]> {
  const taken: JobEvent[] = [];
  while (taken.length < count) {
    const { done, value } = await events.next();
    assert.ok(!done);
    taken.push(value);
  }
  return taken;
}

eachForm("watchJobs() gives all jobs, oldest first, and then every change with its cause", async (Supervisor) => {
  await using supervisor = new Supervisor();
  const a = await supervisor.add("sh", ["-c", "echo hi"], { owner: "ann" });
  await run(supervisor, a);
  const b = await supervisor.add("sleep", ["1000"], { owner: "bob" });
  const names: Record<string, string> = { [a]: "a", [b]: "b" };
  await using watcher = supervisor.watchJobs();
  const known = await take(watcher, 3);
  assert.deepEqual(known.map((event) => short(event, names)), ["known a EXITED", "known b INITIAL", "current"]);
  assert.ok(known[0]?.type === "known");
  assert.deepEqual(known[0].status, await supervisor.status(a));
  await supervisor.start(b, { by: "eve" });
  await supervisor.stop(b, { by: "ann" });
  const c = await supervisor.add("true", [], { owner: "ann" });
  names[c] = "c";
  await supervisor.remove(c);
  await supervisor.remove(a);
  const changes = await take(watcher, 6);
  assert.deepEqual(changes.map((event) => short(event, names)), [
    "changed b STARTING",
    "changed b RUNNING",
    "changed b STOPPING",
    "changed b KILLED",
    // The registration of c is no longer stored, because c was removed.
    "removed c INITIAL",
    "removed a EXITED",
  ]);
  const causes = changes.map((event) => event.type === "changed" ? [event.reason, event.by] : []);
  assert.deepEqual(causes.slice(0, 4), [
    [undefined, "eve"],
    [undefined, undefined],
    ["STOPPED", "ann"],
    ["STOPPED", "ann"],
  ]);
  for (const event of changes) assert.ok("at" in event && Math.abs(event.at.getTime() - Date.now()) < 60_000);
  const removed = changes[5];
  assert.ok(removed?.type === "removed");
  assert.equal(removed.status.owner, "ann");
  assert.equal(removed.status.exitCode, 0);
  assert.deepEqual(structuredClone(changes), changes);
});

eachForm(
  "watchJobs() gives the jobs that a filter selects, and the change by which they leave it",
  async (Supervisor) => {
    await using supervisor = new Supervisor({ closeGraceMs: 100 });
    const sleeper = (options: { owner: string; labels?: Record<string, string> }) =>
      supervisor.add("sleep", ["1000"], options);
    const ann = await sleeper({ owner: "ann", labels: { kind: "x" } });
    const bob = await sleeper({ owner: "bob", labels: { kind: "x", other: "y" } });
    const eve = await supervisor.add("sh", ["-c", "exec sleep 1000"], { owner: "eve" });
    const names = { [ann]: "ann", [bob]: "bob", [eve]: "eve" };
    await supervisor.start(bob);
    const filters: [JobFilter, string[]][] = [
      [{ owner: "bob" }, ["known bob RUNNING", "current", "changed bob STOPPING", "changed bob KILLED"]],
      [{ labels: { kind: "x" }, owner: "ann" }, ["known ann INITIAL", "current"]],
      [{ labels: { kind: "x", other: "y" } }, [
        "known bob RUNNING",
        "current",
        "changed bob STOPPING",
        "changed bob KILLED",
      ]],
      [{ command: "sh -c exec" }, ["known eve INITIAL", "current", "changed eve STARTING", "changed eve RUNNING"]],
      // The job enters and leaves the filter by its state. Both changes are sent.
      [{ states: ["STARTING", "RUNNING"] }, [
        "known bob RUNNING",
        "current",
        "changed eve STARTING",
        "changed eve RUNNING",
        "changed bob STOPPING",
      ]],
      [{ states: ["KILLED"] }, ["current", "changed bob KILLED"]],
      [{ ids: [bob, ann] }, [
        "known ann INITIAL",
        "known bob RUNNING",
        "current",
        "changed bob STOPPING",
        "changed bob KILLED",
      ]],
      [{ registeredUntil: new Date(0) }, ["current"]],
      [{ registeredSince: new Date(0), owner: "eve", states: [] }, [
        "known eve INITIAL",
        "current",
        "changed eve STARTING",
        "changed eve RUNNING",
      ]],
    ];
    const watchers = filters.map(([filter]) => supervisor.watchJobs(filter));
    const seen: JobEvent[][] = [];
    // The first event shows the jobs at the call.
    for (const [index, watcher] of watchers.entries()) seen[index] = await take(watcher, 1);
    await supervisor.start(eve);
    await supervisor.stop(bob);
    for (const [index, watcher] of watchers.entries()) {
      const wanted = filters[index]?.[1] ?? [];
      const events = [...seen[index] ?? [], ...await take(watcher, wanted.length - 1)];
      assert.deepEqual(events.map((event) => short(event, names)), wanted, JSON.stringify(filters[index]?.[0]));
      await watcher.return();
    }
  },
);

eachForm(
  "watchJobs() resumes after any event, also after a restart, and misses and repeats nothing",
  async (Supervisor) => {
    await using temporary = await tempDir();
    const directory = temporary.path;
    const all: JobEvent[] = [];
    let last = "";
    /** Resumes after an event, checks that all later ones follow, and returns them. */
    const checkRest = async (supervisor: Supervisor, index: number) => {
      const rest = await until(supervisor.watchJobs({}, { token: (all[index] as JobEvent).token }), isEnd(last));
      assert.deepEqual(
        rest.map((event) => short(event)),
        all.slice(index + 1).map((event) => short(event)),
        `${index}`,
      );
      return rest;
    };
    {
      await using supervisor = new Supervisor({ directory });
      for (let index = 0; index < 3; index++) await supervisor.add("true");
      await using watcher = supervisor.watchJobs();
      all.push(...await take(watcher, 4));
      last = await supervisor.add("echo", ["hi"]);
      await run(supervisor, last);
      all.push(...await take(watcher, 4));
      assert.ok(isEnd(last)(all.at(-1) as JobEvent));
      for (const index of all.slice(0, -1).keys()) await checkRest(supervisor, index);
    }
    await using supervisor = new Supervisor({ directory });
    for (const index of all.slice(0, -1).keys()) {
      const end = (await checkRest(supervisor, index)).at(-1);
      assert.ok(end?.type === "changed" && end.status.stdoutBytes === 3);
    }
    // The last event has no successor yet.
    await using watcher = supervisor.watchJobs({}, { token: (all.at(-1) as JobEvent).token });
    const next = watcher.next();
    const fresh = await supervisor.add("true");
    const { value } = await next;
    assert.ok(value?.type === "changed" && value.status.id === fresh);
    await watcher.return();
    await supervisor.close();
  },
);

eachForm("watchJobs() gives the jobs as they were at the call to a slow watcher", async (Supervisor) => {
  await using supervisor = new Supervisor();
  const ids: string[] = [];
  // These are more jobs than one page of the store.
  for (let index = 0; index < 250; index++) ids.push(await supervisor.add("true"));
  const names = Object.fromEntries(ids.map((id, index) => [id, `${index}`]));
  await using watcher = supervisor.watchJobs({ states: ["INITIAL"] });
  const first = await take(watcher, 1);
  // All jobs change while the watcher is at the first one.
  const [one = "", two = ""] = [ids[1], ids[150]];
  await run(supervisor, one);
  await run(supervisor, ids[200] ?? "");
  await supervisor.remove(two);
  const added = await supervisor.add("true");
  names[added] = "added";
  const rest = await until(watcher, (event) => event.type === "changed" && event.status.id === added);
  const told = [...first, ...rest].map((event) => short(event, names));
  assert.deepEqual(told, [
    // A removed job is left out.
    ...ids.filter((id) => id !== two).map((id) => `known ${names[id]} INITIAL`),
    "current",
    "changed 1 STARTING",
    "changed 200 STARTING",
    "removed 150 INITIAL",
    "changed added INITIAL",
  ]);
});

eachForm("watchJobs() starts again when the store has deleted the events after its token", async (Supervisor) => {
  await using supervisor = new Supervisor({ maxJobs: 5 });
  const stays = await supervisor.add("true");
  const ended = await supervisor.add("true");
  await run(supervisor, ended);
  const watcher = supervisor.watchJobs();
  const [known] = await take(watcher, 3);
  await using slow = supervisor.watchJobs({}, { token: known?.token ?? "" });
  await take(slow, 2);
  for (let index = 0; index < 1_001; index++) await supervisor.remove(await supervisor.add("true"));
  // The watcher requested no event in between, and some of the missed changes are no longer stored.
  const anew = await take(slow, 3);
  assert.deepEqual(anew.map((event) => short(event)), [`known ${stays} INITIAL`, `known ${ended} EXITED`, "current"]);
  await watcher.return();
});

eachForm(
  "watchJobs() refuses invalid tokens, invalid filters, and ids of jobs that do not exist",
  async (Supervisor) => {
    await using supervisor = new Supervisor();
    const id = await supervisor.add("true");
    const { nextPageToken = "" } = await supervisor.add("true").then(() => supervisor.list({ pageSize: 1 }));
    const [, { token }] = await until(supervisor.watchJobs({ ids: [id] }), isCurrent) as [JobEvent, JobEvent];
    for (
      const bad of ["x", "", `${token}A`, token.slice(1), token.toLowerCase(), "\0", "x".repeat(100_000), nextPageToken]
    ) {
      await assert.rejects(supervisor.watchJobs({}, { token: bad }).next(), (error) => {
        assert.ok(error instanceof InvalidArgumentError, bad.slice(0, 100));
        assert.ok(error.message.length < 500);
        return true;
      });
    }
    for (
      const filter of [
        { ids: Array.from({ length: 1_001 }, () => id) },
        { command: "x".repeat(1_001) },
        { labels: { "": "x" } },
        { registeredSince: new Date(NaN) },
      ]
    ) await assert.rejects(supervisor.watchJobs(filter).next(), InvalidArgumentError);
    await assert.rejects(supervisor.watchJobs({ ids: [id, "missing"] }).next(), JobNotFoundError);
    // With a token the job existed before, so its removal is not an error.
    await supervisor.remove(id);
    const [event] = await take(supervisor.watchJobs({ ids: [id] }, { token }), 1);
    assert.equal(event?.type, "removed");
  },
);

eachForm(
  "watchJobs() throws the reason of the signal when it aborts, before or during the watch",
  async (Supervisor) => {
    await using supervisor = new Supervisor();
    const reason = new Error("enough");
    await assert.rejects(supervisor.watchJobs({}, { signal: AbortSignal.abort(reason) }).next(), reason);
    const abort = new AbortController();
    const watcher = supervisor.watchJobs({}, { signal: abort.signal });
    assert.equal((await watcher.next()).value?.type, "current");
    const waiting = watcher.next();
    abort.abort(reason);
    await assert.rejects(waiting, reason);
  },
);

eachForm(
  "watchJobs() gives all ends when the supervisor closes, and then throws SupervisorClosedError",
  async (Supervisor) => {
    const supervisor = new Supervisor();
    const id = await supervisor.add("sleep", ["1000"]);
    await supervisor.start(id);
    const slow = supervisor.watchJobs();
    const fast = supervisor.watchJobs();
    await take(slow, 1);
    await take(fast, 2);
    const waiting = fast.next();
    const abort = new AbortController();
    const served = supervisor.run({ signal: abort.signal });
    abort.abort();
    await served;
    const events = [(await waiting).value as JobEvent];
    await assert.rejects(async () => {
      for await (const event of fast) events.push(event);
    }, SupervisorClosedError);
    assert.deepEqual(events.map((event) => short(event, { [id]: "a" })), ["changed a STOPPING", "changed a KILLED"]);
    const late: string[] = [];
    await assert.rejects(async () => {
      for await (const event of slow) late.push(short(event, { [id]: "a" }));
    }, SupervisorClosedError);
    assert.deepEqual(late, ["current", "changed a STOPPING", "changed a KILLED"]);
    await supervisor.close();
  },
);

eachForm("watchJobs() shares events between 1,000 watchers, which leave nothing", async (Supervisor) => {
  await using supervisor = new Supervisor();
  const watchers = Array.from({ length: 1_000 }, () => supervisor.watchJobs());
  for (const watcher of watchers) assert.equal((await watcher.next()).value?.type, "current");
  const waiting = watchers.map((watcher) => watcher.next());
  const id = await supervisor.add("true");
  const events = await Promise.all(waiting);
  // All watchers get the same object, so the server encodes it only once.
  assert.equal(new Set(events.map(({ value }) => value)).size, 1);
  assert.ok(events[0]?.value?.type === "changed" && events[0].value.status.id === id);
  await Promise.all(watchers.map((watcher) => watcher.return()));
});
