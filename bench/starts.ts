/** Budget 6: how many jobs are registered, started and ended in a second. */
import type { RpcClient } from "../rpc/client/client.ts";
import type { Finding } from "./finding.ts";
import { getPriority } from "node:os";
import { cpuMs, endedChildrenCpuMs } from "./process_facts.ts";
import { connectTo, runToEnd, type Stage, startTeleportd, type Teleportd } from "./stage.ts";
import { list, median } from "./statistics.ts";

const BUDGET = { what: "register and start of `true`, 32 at a time", budget: "at least 400 a second" };
const AT_A_TIME = 32;

/** One round: the rate, and the processor time of each job in milliseconds. */
interface Round {
  readonly rate: number;
  readonly serverMs: number;
  readonly hostMs: number;
  readonly childMs: number;
  readonly clientMs: number;
}

/** Each job is registered, started, and its status followed to the end, as `teleport run` does. */
async function measureRound(client: RpcClient, server: Teleportd, jobs: number): Promise<Round> {
  const [serverPid = 0, hostPid] = await server.pids();
  const owner = hostPid ?? serverPid;
  const times = () => ({
    server: cpuMs(serverPid),
    host: hostPid === undefined ? 0 : cpuMs(hostPid),
    child: endedChildrenCpuMs(owner),
    client: cpuMs(Deno.pid),
  });
  let left = jobs;
  const work = async () => {
    while (left-- > 0) {
      const { id } = await client.calls.Register({ command: "true" });
      await runToEnd(client, id);
    }
  };
  const before = times();
  const start = performance.now();
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  const seconds = (performance.now() - start) / 1_000;
  const after = times();
  return {
    rate: jobs / seconds,
    serverMs: (after.server - before.server) / jobs,
    hostMs: (after.host - before.host) / jobs,
    childMs: (after.child - before.child) / jobs,
    clientMs: (after.client - before.client) / jobs,
  };
}

/** Measures the default, and a server that runs the jobs itself, alternately. */
export async function measureStarts(stage: Stage): Promise<Finding[]> {
  const jobs = stage.quick ? 160 : 960;
  const rounds = stage.quick ? 1 : 5;
  await using teleportd = await startTeleportd(stage);
  await using alone = await startTeleportd(stage, { jobHost: "none" });
  await using client = connectTo(stage, teleportd);
  await using aloneClient = connectTo(stage, alone);
  const found: Round[] = [];
  const none: Round[] = [];
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    const own = await measureRound(client, teleportd, jobs);
    const other = await measureRound(aloneClient, alone, jobs);
    if (round === 0) continue;
    found.push(own);
    none.push(other);
  }
  const rate = median(found.map(({ rate }) => rate));
  return [{
    ...BUDGET,
    measured: `${rate.toFixed(0)} a second`,
    met: rate >= 400,
    notes: [
      `to the end of each job; rounds of ${jobs}: ${list(found.map(({ rate }) => rate))}`,
      `with \`--job-host none\`: ${list(none.map(({ rate }) => rate))}`,
      `processor time of each job: ${costs(found)}; with \`--job-host none\`: ${costs(none)}`,
      ...(getPriority() === 0 ? [] : ["the benchmark has a niceness, so each job starts through nice(1), 1 ms more"]),
    ],
  }];
}

/** Returns the medians in words. They depend less on other load than the rates do. */
function costs(rounds: readonly Round[]): string {
  const ms = (of: (round: Round) => number) => `${median(rounds.map(of)).toFixed(2)} ms`;
  const host = rounds.some(({ hostMs }) => hostMs > 0) ? `, job host ${ms(({ hostMs }) => hostMs)}` : "";
  const [server, child, client] = [
    ms((round) => round.serverMs),
    ms((round) => round.childMs),
    ms((round) => round.clientMs),
  ];
  return `server ${server}${host}, process ${child}, client ${client}`;
}
