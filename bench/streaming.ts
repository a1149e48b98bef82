/**
 * Budgets 1 and 2: the rate of output, of an ended job and of a running one. It is compared with a bare handler, and with a
 * server that runs the jobs itself.
 */
import type { RpcClient } from "../rpc/client/client.ts";
import type { Budget, Finding } from "./finding.ts";
import { cpuMs } from "./process_facts.ts";
import {
  connectTo,
  readAll,
  registerBytes,
  runToEnd,
  type Stage,
  startBare,
  startTeleportd,
  type Teleportd,
} from "./stage.ts";
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

/** The rate of one transfer, and the processor time of the server and its job host in milliseconds. */
export interface Transfer {
  readonly rate: number;
  readonly cpuMs: number;
}

/**
 * Runs a job of its own, and transfers its output while it runs and after its end.
 *
 * @param engine the engine of the job; default: that of the server
 */
export async function transfers(client: RpcClient, server: Teleportd, bytes: number, engine?: string) {
  const id = await registerBytes(client, bytes, engine);
  const measured = async (transfer: () => Promise<number>): Promise<Transfer> => {
    const cpuOfAll = async () => (await server.pids()).reduce((sum, pid) => sum + cpuMs(pid), 0);
    const before = await cpuOfAll();
    return { rate: await rate(bytes, transfer), cpuMs: await cpuOfAll() - before };
  };
  const live = await measured(async () => (await Promise.all([readAll(client, id), runToEnd(client, id)]))[0]);
  const finished = await measured(() => readAll(client, id));
  await client.calls.Remove({ id });
  return { live, finished };
}

/** Measures all alternately, so that other load on the machine affects all of them. */
export async function measureStreaming(stage: Stage): Promise<Finding[]> {
  const bytes = stage.quick ? 67_108_864 : 268_435_456;
  const rounds = stage.quick ? 2 : 7;
  await using teleportd = await startTeleportd(stage);
  await using alone = await startTeleportd(stage, { jobHost: "none" });
  await using bare = await startBare(stage);
  await using client = connectTo(stage, teleportd);
  await using aloneClient = connectTo(stage, alone);
  await using bareClient = connectTo(stage, bare);

  const bareRates: number[] = [];
  const found = { finished: [] as Transfer[], live: [] as Transfer[] };
  const none = { finished: [] as Transfer[], live: [] as Transfer[] };
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    const before = await rate(bytes, () => readAll(bareClient, String(bytes)));
    const own = await transfers(client, teleportd, bytes);
    const other = await transfers(aloneClient, alone, bytes);
    const after = await rate(bytes, () => readAll(bareClient, String(bytes)));
    if (round === 0) continue;
    bareRates.push((before + after) / 2);
    found.finished.push(own.finished);
    found.live.push(own.live);
    none.finished.push(other.finished);
    none.live.push(other.live);
  }
  return [
    finding(FINISHED, 0.85, found.finished.map(rateOf), bareRates),
    finding(LIVE, 0.6, found.live.map(rateOf), bareRates),
    compared(FINISHED_HOSTED, 0.95, bytes, found.finished, none.finished),
    compared(LIVE_HOSTED, 0.9, bytes, found.live, none.live),
  ];
}

const rateOf = ({ rate }: Transfer) => rate;

/** The processor time depends less on other load than the rate does. */
export function compared(
  budget: Budget,
  atLeast: number,
  bytes: number,
  own: readonly Transfer[],
  other: readonly Transfer[],
): Finding {
  const { notes, ...found } = finding(budget, atLeast, own.map(rateOf), other.map(rateOf));
  const cost = (all: readonly Transfer[]) => `${(median(all.map((one) => one.cpuMs)) / mb(bytes)).toFixed(2)} ms`;
  return {
    ...found,
    notes: [...notes, `processor time of server and job host for a megabyte: ${cost(own)} against ${cost(other)}`],
  };
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
