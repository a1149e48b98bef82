/** Budget 5: a thousand watchers of a quiet job, over 20 connections. */
import type { RpcClient } from "../rpc/client/client.ts";
import type { Finding } from "./finding.ts";
import { rssBytes } from "./process_facts.ts";
import { connectTo, ended, readAll, registerBytes, runToEnd, type Stage, startGated, startTeleportd } from "./stage.ts";
import { list, mb, median, quantile } from "./statistics.ts";

const WATCHERS = 1_000;
const CONNECTIONS = 20;
const MEMORY = { what: "1,000 watchers of a quiet job: growth of the memory", budget: "at most 60 MB" };
const LATENCY = {
  what: "1,000 watchers of a quiet job: time until the last has a new line",
  budget: "p99 at most 100 ms",
};

/** Counts the watchers that have the last line. */
class Roll {
  #missing = 0;
  #all = Promise.withResolvers<void>();

  /** Resolves when each watcher was called once more. */
  begin(): Promise<void> {
    this.#missing = WATCHERS;
    this.#all = Promise.withResolvers<void>();
    return this.#all.promise;
  }

  present(): void {
    this.#missing -= 1;
    if (this.#missing === 0) this.#all.resolve();
  }
}

async function watch({ calls }: RpcClient, id: string, roll: Roll): Promise<void> {
  for await (const { data } of calls.GetOutput({ id })) {
    // Lines come one at a time, so a line is a message.
    if (data.length > 0) roll.present();
  }
}

/** Writes lines and waits for the last watcher to have each. */
export async function measureCrowd(stage: Stage): Promise<Finding[]> {
  const lines = stage.quick ? 20 : 50;
  await using teleportd = await startTeleportd(stage);
  await using client = connectTo(stage, teleportd);
  const warmUp = await registerBytes(client, 1_048_576);
  await Promise.all([runToEnd(client, warmUp), readAll(client, warmUp)]);
  await using stack = new AsyncDisposableStack();
  const clients = Array.from({ length: CONNECTIONS }, () => stack.use(connectTo(stage, teleportd)));

  const { id, gate } = await startGated(stage, client, "echo ready; exec cat <&3");
  const pids = await teleportd.pids();
  const rss = () => pids.reduce((sum, pid) => sum + rssBytes(pid), 0);
  const before = rss();
  const roll = new Roll();
  const ready = roll.begin();
  const watching = Array.from({ length: WATCHERS }, (_, n) => watch(clients[n % CONNECTIONS] as RpcClient, id, roll));
  await ready;
  const attached = rss();

  const times: number[] = [];
  // The first lines warm up.
  for (let line = -3; line < lines; line++) {
    const all = roll.begin();
    const start = performance.now();
    await gate.write(new TextEncoder().encode(`line ${line}\n`));
    await all;
    if (line >= 0) times.push(performance.now() - start);
  }
  const after = rss();
  gate.close();
  await ended(client, id);
  await Promise.all(watching);
  const p99 = quantile(times, 0.99);
  const growth = mb(Math.max(attached, after) - before);
  return [
    {
      ...MEMORY,
      measured: `${growth.toFixed(0)} MB`,
      met: growth <= 60,
      notes: [
        `server and job host: resident ${mb(before).toFixed(0)} MB before, ${
          mb(attached).toFixed(0)
        } with all attached, ` +
        `${mb(after).toFixed(0)} after ${lines} lines; ${CONNECTIONS} connections`,
      ],
    },
    {
      ...LATENCY,
      measured: `p99 ${p99.toFixed(0)} ms`,
      met: p99 <= 100,
      notes: [
        `p50 ${median(times).toFixed(0)} ms; all watchers are in one process, whose own work is in it`,
        `lines: ${list(times)}`,
      ],
    },
  ];
}
