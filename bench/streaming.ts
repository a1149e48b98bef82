/** Budgets 1 and 2: the rate of output, of an ended job and of a running one, compared with a bare handler. */
import type { Budget, Finding } from "./finding.ts";
import { connectTo, readAll, registerBytes, runToEnd, type Stage, startBare, startTeleportd } from "./stage.ts";
import { list, mb, median } from "./statistics.ts";

const FINISHED = { what: "streaming a finished job's output, against a bare grpc-js handler", budget: "at least 0.85" };
const LIVE = { what: "streaming live, against the same bare handler", budget: "at least 0.6" };

/** Returns the megabytes a second of a transfer. */
async function rate(bytes: number, transfer: () => Promise<number>): Promise<number> {
  const start = performance.now();
  const arrived = await transfer();
  const seconds = (performance.now() - start) / 1_000;
  if (arrived !== bytes) throw new Error(`Expected ${bytes} bytes, got ${arrived}`);
  return mb(bytes) / seconds;
}

/** Measures the three alternately, so that other load on the machine affects all of them. */
export async function measureStreaming(stage: Stage): Promise<Finding[]> {
  const bytes = stage.quick ? 67_108_864 : 268_435_456;
  const rounds = stage.quick ? 2 : 7;
  await using teleportd = await startTeleportd(stage);
  await using bare = await startBare(stage);
  await using client = connectTo(stage, teleportd);
  await using bareClient = connectTo(stage, bare);

  const rates = { bare: [] as number[], finished: [] as number[], live: [] as number[] };
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    const id = await registerBytes(client, bytes);
    const live = await rate(bytes, async () => {
      const [arrived] = await Promise.all([readAll(client, id), runToEnd(client, id)]);
      return arrived;
    });
    const before = await rate(bytes, () => readAll(bareClient, String(bytes)));
    const finished = await rate(bytes, () => readAll(client, id));
    const after = await rate(bytes, () => readAll(bareClient, String(bytes)));
    await client.calls.Remove({ id });
    if (round === 0) continue;
    rates.bare.push((before + after) / 2);
    rates.finished.push(finished);
    rates.live.push(live);
  }
  return [
    finding(FINISHED, 0.85, rates.finished, rates.bare),
    finding(LIVE, 0.6, rates.live, rates.bare),
  ];
}

function finding(budget: Budget, atLeast: number, own: readonly number[], bare: readonly number[]): Finding {
  const ratio = median(own.map((value, round) => value / (bare[round] ?? NaN)));
  return {
    ...budget,
    measured: ratio.toFixed(2),
    met: ratio >= atLeast,
    notes: [
      `${median(own).toFixed(0)} MB/s against ${median(bare).toFixed(0)} MB/s (medians)`,
      `rounds: ${list(own)} against ${list(bare)}`,
    ],
  };
}
