/** Many jobs of `true` submitted at once: each ends as it should, and the memory of the server stays flat. */
import { sleep } from "../../base/backoff.ts";
import type { RpcClient } from "../../rpc/client/client.ts";
import type { Finding } from "../finding.ts";
import { rssBytes } from "../process_facts.ts";
import { connectTo, type Stage } from "../stage.ts";
import { mb } from "../statistics.ts";
import type { SlurmPlace } from "./place.ts";

/** The most growth of the server's memory by as many jobs again, in bytes. */
const MAX_GROWTH = 10e6;
export const MEMORY = {
  what: "500 jobs on Slurm at once: growth of the server's memory by 500 more",
  budget: "at most 10 MB",
};

/** The time from the last activity until the server has collected its garbage, in milliseconds. */
const REST_MS = 13_000;

/** Runs jobs that are all submitted at once, to their ends. */
async function runMany({ calls }: RpcClient, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, async () => {
    const { id } = await calls.Register({ command: "true" });
    for await (const _ of calls.Start({ id }));
    const { state, exit_code, error } = await calls.Status({ id });
    if (state !== "STATE_EXITED" || exit_code !== 0) {
      throw new Error(`Expected the end of "true", got ${state}: ${error}`);
    }
  }));
}

/** Submits as many again after the server has collected its garbage. */
export async function measureManyJobs(stage: Stage, { teleportd }: SlurmPlace): Promise<Finding[]> {
  const count = stage.quick ? 30 : 500;
  await using client = connectTo(stage, teleportd);
  const rests: number[] = [];
  const seconds: number[] = [];
  for (let round = 0; round < 3; round++) {
    await sleep(REST_MS);
    rests.push(rssBytes(teleportd.pid));
    if (round === 2) break;
    const start = performance.now();
    await runMany(client, count);
    seconds.push((performance.now() - start) / 1_000);
  }
  const [before = NaN, first = NaN, second = NaN] = rests;
  const growth = second - first;
  return [{
    ...MEMORY,
    measured: `${mb(growth).toFixed(0)} MB`,
    met: growth <= MAX_GROWTH,
    notes: [
      `resident at rest ${mb(before).toFixed(0)} MB before, ${mb(first).toFixed(0)} after ${count}, ` +
      `${mb(second).toFixed(0)} after as many again`,
      `all ended within ${seconds.map((value) => value.toFixed(0)).join(" and ")} s`,
    ],
  }];
}
