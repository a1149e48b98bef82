/** Budget 6: how many jobs are registered, started and ended in a second. */
import type { Finding } from "./finding.ts";
import { connectTo, runToEnd, type Stage, startTeleportd } from "./stage.ts";
import { list, median } from "./statistics.ts";

const BUDGET = { what: "register and start of `true`, 32 at a time", budget: "at least 200 a second" };
const AT_A_TIME = 32;

/** Each job is registered, started, and its status followed to the end, as `teleport run` does. */
export async function measureStarts(stage: Stage): Promise<Finding[]> {
  const jobs = stage.quick ? 160 : 960;
  const rounds = stage.quick ? 1 : 5;
  await using teleportd = await startTeleportd(stage);
  await using client = connectTo(stage, teleportd);
  const rates: number[] = [];
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    let left = jobs;
    const work = async () => {
      while (left-- > 0) {
        const { id } = await client.calls.Register({ command: "true" });
        await runToEnd(client, id);
      }
    };
    const start = performance.now();
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
    if (round > 0) rates.push(jobs / ((performance.now() - start) / 1_000));
  }
  const rate = median(rates);
  return [{
    ...BUDGET,
    measured: `${rate.toFixed(0)} a second`,
    met: rate >= 200,
    notes: [`to the end of each job; rounds of ${jobs}: ${list(rates)}`],
  }];
}
