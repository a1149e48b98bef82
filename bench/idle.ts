/** Budget 7: the cost of 100 quiet jobs with 100 watchers. */
import type { Finding } from "./finding.ts";
import { cpuMs, sleeps } from "./process_facts.ts";
import { connectTo, type Stage, startGated, startTeleportd } from "./stage.ts";
import { sleep } from "../base/backoff.ts";

const CPU = { what: "idle with 100 running jobs and 100 watchers: processor", budget: "under 0.5% of a core" };
const TIMERS = { what: "idle with 100 running jobs and 100 watchers: timers", budget: "none fire" };
const JOBS = 100;

/** The limit of wake-ups of an idle server. The machine itself wakes threads too. */
const MAX_WAKES_PER_SECOND = 1;

/** The time without any work after which the start is over, and the time after which it must be, in milliseconds. */
const REST_MS = 20_000;
const MAX_START_MS = 90_000;

/**
 * Waits until the work of the start is done. The runtime ends threads that were idle for 10 s. It collects garbage more than
 * once, on a slow machine 20 s after the last job. Work that never ends is measured after 90 s.
 */
async function untilRest(cpuOfAll: () => number): Promise<void> {
  for (let waitedMs = 0; waitedMs < MAX_START_MS; waitedMs += REST_MS) {
    const before = cpuOfAll();
    await sleep(REST_MS);
    if (cpuOfAll() === before && waitedMs > 0) return;
  }
}

/** Measures processor time and wake-ups while nothing happens. */
export async function measureIdle(stage: Stage): Promise<Finding[]> {
  const seconds = stage.quick ? 2 : 10;
  await using teleportd = await startTeleportd(stage);
  await using client = connectTo(stage, teleportd);
  const jobs = await Promise.all(
    Array.from({ length: JOBS }, () => startGated(stage, client, "echo ready; read word <&3")),
  );
  const watches = jobs.map(({ id }) => client.calls.GetOutput({ id })[Symbol.asyncIterator]());
  await Promise.all(watches.map((watch) => watch.next()));
  const pids = await teleportd.pids();
  const cpuOfAll = () => pids.reduce((sum, pid) => sum + cpuMs(pid), 0);
  if (stage.quick) await sleep(1_000);
  else await untilRest(cpuOfAll);
  const sleepsOfAll = () => new Map(pids.flatMap((pid) => [...sleeps(pid)]));
  const before = { cpu: cpuOfAll(), sleeps: sleepsOfAll() };
  await sleep(seconds * 1_000);
  const cpu = cpuOfAll() - before.cpu;
  // A thread that has ended in the meantime does not count.
  const counts = [...sleepsOfAll()].map(([thread, count]) => count - (before.sleeps.get(thread) ?? 0));
  const wakes = counts.reduce((sum, count) => sum + count, 0) / seconds;
  for (const { gate } of jobs) gate.close();
  await Promise.all(watches.map(async (watch) => {
    while (!(await watch.next()).done);
  }));
  const share = cpu / (seconds * 1_000) * 100;
  return [
    { ...CPU, measured: `${share.toFixed(2)}%`, met: share < 0.5, notes: [`${cpu} ms in ${seconds} s`] },
    {
      ...TIMERS,
      measured: `${wakes.toFixed(1)} wake-ups a second`,
      met: wakes < MAX_WAKES_PER_SECOND,
      notes: ["voluntary context switches of all threads of server and job host, those of the runtime included"],
    },
  ];
}
