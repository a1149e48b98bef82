/** Random calls of supervisors that come and go: each job starts once, and each supervisor sees each change once. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { isFinalState } from "../../../../mod.ts";
import type { HostedJobState, HostLink } from "../../../../worker/host/link.ts";
import { deadline } from "../../../support/deadline.ts";
import { Random, seedFor } from "../../../support/random.ts";
import { type HostForm, type RecordedEvents, TestedHost } from "./fixture.ts";

const ROUNDS = 3;
const STEPS = 120;
const JOBS = 8;

/** The errors of calls that come too late. */
const TOO_LATE = ["JOB_NOT_RUNNING", "HOST_UNAVAILABLE", "SUPERVISOR_CLOSED", "JOB_RUNNING"];

/** The jobs as one supervisor saw them. */
interface View {
  readonly jobs: readonly HostedJobState[];
  readonly events: RecordedEvents;
}

/** Registers the tests for a form of the link. */
export function testRaces(form: HostForm): void {
  Deno.test(`${form.name}: random calls start each job once, and no supervisor misses a change`, async () => {
    const seed = seedFor(`${form.name}: races`);
    for (let round = 0; round < ROUNDS; round++) {
      await using host = await TestedHost.start(form);
      await race(host, new Random(seed + round));
    }
  });
}

async function race(host: TestedHost, random: Random): Promise<void> {
  const scripts = [
    "exit 3",
    "sleep 0.02; echo out",
    "exec sleep 1000",
    "trap 'exit 4' TERM; while :; do sleep 0.01; done",
  ];
  const starts = Array.from({ length: JOBS }, (_, index) => {
    const file = join(host.directory, `start-${index}`);
    return host.startOf(`echo start >> ${file}; ${random.pick(scripts)}`);
  });
  const views: View[] = [{ jobs: [], events: host.events }];
  const failures: Promise<{ readonly code?: string } | undefined>[] = [];
  const links: HostLink[] = [host.link];
  for (let step = 0; step < STEPS; step++) {
    const start = random.pick(starts);
    const { id } = start.spec;
    // An older link is a supervisor that does not know yet that it was replaced.
    const link = random.chance(0.8) ? host.link : random.pick(links);
    const actions: (() => Promise<unknown>)[] = [
      () => link.start(start),
      () => link.start(start),
      () => link.stop(id, { graceMs: random.below(50) }),
      () => link.signal(id, "HUP", "ann"),
      () => Promise.resolve(link.forget(id)),
      () => link.watch(id),
      () => Promise.resolve(link.unwatch(id)),
      () => link.states(starts.map(({ spec }) => spec.id)),
      () => link.usage(id),
      () => link.deleteOutput(id),
    ];
    failures.push(random.pick(actions)().then(() => undefined, (error) => error));
    if (random.chance(0.1)) {
      if (random.chance(0.5)) await host.leave();
      const jobs = await host.attachAnew();
      links.push(host.link);
      views.push({ jobs, events: host.events });
    }
    if (random.chance(0.3)) await new Promise((resolve) => setTimeout(resolve, random.below(10)));
  }
  for (const error of await deadline(Promise.all(failures), "all calls")) {
    if (error !== undefined) assert.ok(TOO_LATE.includes(error.code ?? ""), String(error));
  }
  await deadline(host.link.stopJobs(0), "the end of all jobs");
  for (const { id, changes, live } of await host.attachAnew()) {
    assert.equal(live, undefined);
    assert.ok(isFinalState(changes.at(-1)!.status.state));
    host.link.forget(id);
  }
  assert.deepEqual(await host.attachAnew(), []);
  for (const start of starts) await host.link.start(start).catch(() => {}); // A job that was never started runs now.
  for (const view of views) checkView(view);
  for (let index = 0; index < JOBS; index++) {
    const text = await Deno.readTextFile(join(host.directory, `start-${index}`)).catch(() => "");
    assert.ok(text === "" || text === "start\n", `Job ${index} started more than once`);
  }
}

/** Checks that a supervisor saw the changes of each job without a gap and without a repetition, up to its end at most. */
function checkView({ jobs, events }: View): void {
  const ids = new Set([...jobs.map(({ id }) => id), ...events.changes.map(({ id }) => id)]);
  for (const id of ids) {
    const changes = [...jobs.find((job) => job.id === id)?.changes ?? [], ...events.of(id)];
    assert.deepEqual(changes.map(({ number }) => number), changes.map((_, index) => index + 1));
    assert.ok(changes.slice(0, -1).every(({ status }) => !isFinalState(status.state)));
  }
}
