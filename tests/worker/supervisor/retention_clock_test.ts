/** Tests for retention by age when the clock steps. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Retention } from "../../../worker/supervisor/retention.ts";
import type { EndedJob } from "../../../worker/store/rows.ts";
import { encodeSpec } from "../../../worker/store/json.ts";
import { Store } from "../../../worker/store/store.ts";
import { Supervisor } from "../../../worker/supervisor/supervisor.ts";
import { defined } from "../../../base/defined.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { finalStatus } from "../../support/final_status.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const START_MS = 1_700_000_000_000;

/** Makes a retention with its own clock and one job that has just ended. The job is kept for a week. */
function retentionOf(lastSeenMs?: number) {
  const clock = { nowMs: START_MS, atMs: 1_000, now: () => clock.nowMs, monotonicMs: () => clock.atMs };
  let jobs: EndedJob[] = [{ key: 1, id: "1", endedAt: new Date(START_MS) }];
  const told: string[] = [];
  const make = () =>
    new Retention({
      maxAgeMs: 7 * DAY_MS,
      ended: () => jobs,
      isWatched: () => false,
      remove: () => {
        jobs = [];
        return 1;
      },
      ...defined({ lastSeenMs }),
      onHold: (sentence) => told.push(sentence),
      clock,
    });
  /** Lets time pass, on the clock and on the monotonic clock. */
  const pass = (clockMs: number, trueMs = clockMs) => {
    clock.nowMs += clockMs;
    clock.atMs += trueMs;
  };
  return { make, pass, told, isKept: () => jobs.length > 0 };
}

/** Checks once, without the timer of the previous check. */
function expire(retention: Retention): void {
  retention.removeExpired();
  retention.cancelTimer();
}

Deno.test("removeExpired() removes expired jobs when the clock has not stepped", () => {
  const { make, pass, told, isKept } = retentionOf();
  const retention = make();
  pass(6 * DAY_MS);
  expire(retention);
  assert.ok(isKept());
  pass(2 * DAY_MS);
  expire(retention);
  assert.deepEqual([isKept(), told], [false, []]);
});

Deno.test("removeExpired() waits an hour with a warning when the clock steps ahead", () => {
  const { make, pass, told, isKept } = retentionOf();
  const retention = make();
  expire(retention);
  pass(40 * DAY_MS, 1_000);
  expire(retention);
  pass(HOUR_MS / 2);
  expire(retention);
  assert.ok(isKept());
  assert.equal(told.length, 1);
  assert.match(
    told[0] ?? "",
    /^the clock is 40\.0 days ahead of the last known time: ended jobs are not removed by age/,
  );
  // The clock was corrected in time, so no job was lost.
  pass(-40 * DAY_MS, 1_000);
  expire(retention);
  pass(2 * HOUR_MS);
  expire(retention);
  assert.ok(isKept());
  // The clock was not corrected, so it counts as right.
  pass(40 * DAY_MS, 1_000);
  expire(retention);
  assert.ok(isKept());
  pass(HOUR_MS + 1);
  expire(retention);
  assert.deepEqual([isKept(), told.length], [false, 2]);
});

Deno.test("removeExpired() waits when the clock is ahead of the last time of the previous server", () => {
  const started = retentionOf(START_MS - 40 * DAY_MS);
  const retention = started.make();
  started.pass(8 * DAY_MS, 0);
  expire(retention);
  assert.deepEqual([started.isKept(), started.told.length], [true, 1]);
  // A short pause of the server does not count as a step.
  const restarted = retentionOf(START_MS + 8 * DAY_MS - 60_000);
  restarted.pass(8 * DAY_MS);
  expire(restarted.make());
  assert.deepEqual([restarted.isKept(), restarted.told], [false, []]);
});

Deno.test("a supervisor whose clock is far ahead keeps ended jobs and warns", async () => {
  await using temporary = await tempDir();
  const directory = temporary.path;
  let id: string;
  {
    await using supervisor = new Supervisor({ directory, maxAgeMs: 30 * DAY_MS });
    id = await supervisor.add("true");
    await supervisor.start(id);
    await finalStatus(supervisor, id);
  }
  // All stored times are moved back by 40 days, as if the clock were 40 days ahead.
  const database = new DatabaseSync(join(directory, "jobs.db"));
  database.prepare("UPDATE jobs SET ended_at = ended_at - ?").run(40 * DAY_MS);
  database.prepare("UPDATE changes SET at = at - ?").run(40 * DAY_MS);
  assert.equal(database.prepare("UPDATE meta SET value = value - ? WHERE name = 'seen'").run(40 * DAY_MS).changes, 1);
  database.close();
  // A second start with the same clock does not trust it either.
  for (let start = 0; start < 2; start++) {
    const told: string[] = [];
    await using supervisor = new Supervisor({
      directory,
      maxAgeMs: 30 * DAY_MS,
      onWarning: (text) => told.push(text),
    });
    assert.equal((await supervisor.status(id)).state, "EXITED");
    assert.match(told.join(), /^the clock is 40\.0 days ahead/);
  }
});

/** Runs with both clocks of this process ahead by that much time. */
async function later(ms: number, run: () => Promise<void>): Promise<void> {
  const { now } = Date;
  const monotonic = performance.now;
  Date.now = () => now() + ms;
  performance.now = () => monotonic.call(performance) + ms;
  try {
    await run();
  } finally {
    Date.now = now;
    performance.now = monotonic;
  }
}

Deno.test("a server that is killed after weeks restarts without a wait, because its last writes stored the time", async () => {
  await using temporary = await tempDir();
  const directory = temporary.path;
  const killed = `${directory}-killed`;
  const options = { directory, maxAgeMs: 7 * DAY_MS };
  const run = async (supervisor: Supervisor) => {
    const id = await supervisor.add("true");
    await supervisor.start(id);
    await finalStatus(supervisor, id);
    return id;
  };
  try {
    let first = "";
    {
      await using supervisor = new Supervisor(options);
      first = await run(supervisor);
    }
    await using supervisor = new Supervisor(options);
    await supervisor.ready();
    await later(21 * DAY_MS, async () => {
      await run(supervisor);
      // A copy of the files is what a kill leaves.
      await Deno.mkdir(killed);
      for (const { name, isFile } of Deno.readDirSync(directory)) {
        if (isFile) await Deno.copyFile(join(directory, name), join(killed, name));
      }
      const told: string[] = [];
      await using next = new Supervisor({ ...options, directory: killed, onWarning: (text) => told.push(text) });
      await next.ready();
      assert.deepEqual(told, []);
      // The job is older than a week, so it is removed at once.
      assert.ok(!(await next.list()).jobs.some(({ id }) => id === first));
    });
  } finally {
    await Deno.remove(killed, { recursive: true });
  }
});

Deno.test("a server stores no time while it does not trust its clock", async () => {
  await using temporary = await tempDir();
  const directory = temporary.path;
  const path = join(directory, "jobs.db");
  const { now } = Date;
  let isClockTrusted = true;
  const write = (store: Store, number: number) => {
    const id = `01890000-0000-7000-8000-00000000000${number}`;
    const spec = { id, command: "true", args: [], cwd: "/", registeredAt: new Date() };
    store.add(spec, encodeSpec(spec));
  };
  const noted = () => {
    using store = new Store(path);
    return store.lastSeenMs;
  };
  try {
    Date.now = () => START_MS;
    {
      using store = new Store(path, { isClockTrusted: () => isClockTrusted });
      write(store, 1);
    }
    assert.equal(noted(), START_MS);
    Date.now = () => START_MS + 40 * DAY_MS;
    isClockTrusted = false;
    {
      using store = new Store(path, { isClockTrusted: () => isClockTrusted });
      write(store, 2);
    }
    assert.equal(noted(), START_MS);
  } finally {
    Date.now = now;
  }
  await Promise.resolve();
});
