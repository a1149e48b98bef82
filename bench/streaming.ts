/**
 * Budgets 1 and 2: the rate of output, of an ended job and of a running one. It is compared with a bare handler, and with a
 * server that runs the jobs itself.
 */
import type { RpcClient } from "../rpc/client/client.ts";
import type { Budget, Finding } from "./finding.ts";
import { connectTo, readAll, registerBytes, runToEnd, type Stage, startBare, startTeleportd } from "./stage.ts";
import { list, mb, median } from "./statistics.ts";

const FINISHED = { what: "streaming a finished job's output, against a bare grpc-js handler", budget: "at least 0.85" };
const LIVE = { what: "streaming live, against the same bare handler", budget: "at least 0.6" };
const FINISHED_HOSTED = {
  what: "streaming a finished job's output, against `--job-host none`",
  budget: "at least 0.95",
};
const LIVE_HOSTED = { what: "streaming live, against `--job-host none`", budget: "at least 0.9" };

/** Returns the megabytes a second of a transfer. */
async function rate(bytes: number, transfer: () => Promise<number>): Promise<number> {
  const start = performance.now();
  const arrived = await transfer();
  const seconds = (performance.now() - start) / 1_000;
  if (arrived !== bytes) throw new Error(`Expected ${bytes} bytes, got ${arrived}`);
  return mb(bytes) / seconds;
}

/** Runs a job of its own, and returns the rates of its output while it runs and after its end. */
async function rates(client: RpcClient, bytes: number): Promise<{ live: number; finished: number }> {
  const id = await registerBytes(client, bytes);
  const live = await rate(bytes, async () => (await Promise.all([readAll(client, id), runToEnd(client, id)]))[0]);
  const finished = await rate(bytes, () => readAll(client, id));
  await client.calls.Remove({ id });
  return { live, finished };
}

/** Measures all alternately, so that other load on the machine affects all of them. */
export async function measureStreaming(stage: Stage): Promise<Finding[]> {
  const bytes = stage.quick ? 67_108_864 : 268_435_456;
  const rounds = stage.quick ? 2 : 7;
  await using teleportd = await startTeleportd(stage);
  await using alone = await startTeleportd(stage, "none");
  await using bare = await startBare(stage);
  await using client = connectTo(stage, teleportd);
  await using aloneClient = connectTo(stage, alone);
  await using bareClient = connectTo(stage, bare);

  const found = { bare: [] as number[], finished: [] as number[], live: [] as number[] };
  const none = { finished: [] as number[], live: [] as number[] };
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    const before = await rate(bytes, () => readAll(bareClient, String(bytes)));
    const own = await rates(client, bytes);
    const other = await rates(aloneClient, bytes);
    const after = await rate(bytes, () => readAll(bareClient, String(bytes)));
    if (round === 0) continue;
    found.bare.push((before + after) / 2);
    found.finished.push(own.finished);
    found.live.push(own.live);
    none.finished.push(other.finished);
    none.live.push(other.live);
  }
  return [
    finding(FINISHED, 0.85, found.finished, found.bare),
    finding(LIVE, 0.6, found.live, found.bare),
    finding(FINISHED_HOSTED, 0.95, found.finished, none.finished),
    finding(LIVE_HOSTED, 0.9, found.live, none.live),
  ];
}

function finding(budget: Budget, atLeast: number, own: readonly number[], other: readonly number[]): Finding {
  const ratio = median(own.map((value, round) => value / (other[round] ?? NaN)));
  return {
    ...budget,
    measured: ratio.toFixed(2),
    met: ratio >= atLeast,
    notes: [
      `${median(own).toFixed(0)} MB/s against ${median(other).toFixed(0)} MB/s (medians)`,
      `rounds: ${list(own)} against ${list(other)}`,
    ],
  };
}
