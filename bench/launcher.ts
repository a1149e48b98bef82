/** The time of a start through the launcher, compared with a direct start. */
import type { ProcessOptions } from "../worker/process/options.ts";
import { Process } from "../worker/process/process.ts";
import { IsolationProbe } from "../worker/host/isolation_probe.ts";
import type { Finding } from "./finding.ts";
import type { Stage } from "./stage.ts";
import { median } from "./statistics.ts";

const WAYS: readonly (readonly [string, ProcessOptions])[] = [
  ["limits and umask", { umask: 0o22, rlimits: { openFiles: 1_024, coreBytes: 0 } }],
  ["a niceness", { nice: 1 }],
  ["no new privileges", { noNewPrivileges: true }],
  ["private", { isolation: "PRIVATE" }],
  ["strict", { isolation: "STRICT", ...(Deno.uid() === 0 ? { user: "nobody" } : {}) }],
];

async function timeOf(options: ProcessOptions): Promise<number> {
  const start = performance.now();
  const { state } = await new Process("true", [], options).start();
  if (state !== "EXITED") throw new Error(`A job that does nothing ended as ${state}`);
  return performance.now() - start;
}

/** Measures direct starts and each kind of launcher alternately. */
export async function measureLauncher(stage: Stage): Promise<Finding[]> {
  const rounds = stage.quick ? 20 : 200;
  const canIsolate = await new IsolationProbe().check("STRICT").then(() => true, () => false);
  const ways = WAYS.filter(([, { isolation }]) => isolation === undefined || canIsolate);
  if (Deno.uid() === 0) ways.push(["another user", { user: "nobody" }]);
  const direct: number[] = [];
  const times = ways.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    direct.push(await timeOf({}));
    for (const [index, [, options]] of ways.entries()) times[index]?.push(await timeOf(options));
  }
  const more = ways.map(([what], index) => ({ what, ms: median(times[index] ?? []) - median(direct) }));
  const plain = more.filter(({ what }) => what !== "private" && what !== "strict");
  const most = Math.max(...plain.map(({ ms }) => ms));
  return [{
    what: "a start through the launcher, more than a direct one",
    budget: "under 5 ms",
    measured: `at most ${most.toFixed(1)} ms`,
    met: most < 5,
    notes: [
      `direct ${median(direct).toFixed(1)} ms; more: ${
        more.map(({ what, ms }) => `${what} ${ms.toFixed(1)}`).join(", ")
      }`,
      ...(canIsolate ? ["private and strict isolate, which is asked for and has no budget"] : []),
    ],
  }];
}
