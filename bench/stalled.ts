/** Budget 4: a gigabyte of output and 20 watchers that read nothing, and a request for the end of such a log. */
import type { RpcClient } from "../rpc/client/client.ts";
import type { Budget, Finding } from "./finding.ts";
import { peakBytes, resetPeak, rssBytes } from "./process_facts.ts";
import { type Program, startDeno } from "./program.ts";
import {
  connectTo,
  ended,
  readAll,
  recorded,
  registerBytes,
  runToEnd,
  type Server,
  type Stage,
  startGated,
  startTeleportd,
} from "./stage.ts";
import { list, mb, median } from "./statistics.ts";

const WATCHERS = 20;
const MEMORY = {
  what: "1 GB of output and 20 watchers that read nothing: growth of the memory",
  budget: "at most 32 MB",
};
const UNWATCHED = { what: "1 GB of output and no watcher: growth of the memory", budget: "" };
const FROZEN = { what: "the same, with the watchers' process frozen", budget: "at most 32 MB" };
const BESIDE = { what: "a reader next to 20 watchers that read nothing", budget: "slowed by at most a fifth" };
const TAIL = { what: "the last 10 lines of a log of 1 GB, first byte to last", budget: "at most 100 ms" };

const MAX_GROWTH_MB = 32;

/** More bytes than the buffers of a watcher that reads nothing hold: in the server, the sockets and the client. */
const PREFILL_BYTES = 16_777_216;

function watchStalled(stage: Stage, { address }: Server, id: string): Promise<Program> {
  return startDeno("bench/stalled_watchers.ts", [address, stage.certs, id, String(WATCHERS)], /^watching$/m);
}

/** The watchers of the log. The process of frozen ones does not even read from its sockets. */
type Watching = "nobody" | "stalled" | "frozen";

/** Floods a log twice. */
async function measureMemory(stage: Stage, budget: Budget, watching: Watching): Promise<Finding[]> {
  const bytes = stage.quick ? 100_000_000 : 1_000_000_000;
  await using teleportd = await startTeleportd(stage);
  await using client = connectTo(stage, teleportd);
  // Every server has this after its first minute: compiled code, and the buffers of one job and one reader.
  const warmUp = await registerBytes(client, 1_048_576);
  await Promise.all([runToEnd(client, warmUp), readAll(client, warmUp)]);

  const flood = `read word <&3; yes "a line of output such as programs write" | head -c ${bytes}`;
  const { id, gate } = await startGated(stage, client, `echo ready; ${flood}; ${flood}`);
  const word = new TextEncoder().encode("on\n");
  await using watchers = watching === "nobody" ? undefined : await watchStalled(stage, teleportd, id);
  const freeze = (signal: Deno.Signal) => {
    if (watchers !== undefined && watching === "frozen") Deno.kill(watchers.pid, signal);
  };
  const pids = await teleportd.pids();
  const sum = (bytesOf: (pid: number) => number) => pids.reduce((all, pid) => all + bytesOf(pid), 0);
  const rss = [sum(rssBytes)];
  for (const pid of pids) resetPeak(pid);
  freeze("SIGSTOP");
  for (const total of [bytes, 2 * bytes]) {
    await gate.write(word);
    await recorded(client, id, total);
    rss.push(sum(rssBytes));
  }
  const peak = sum(peakBytes);
  gate.close();
  await ended(client, id);
  freeze("SIGCONT");
  const [before = NaN, first = NaN, second = NaN] = rss.map(mb);
  const memory: Finding = {
    ...budget,
    measured: `${(first - before).toFixed(0)} MB`,
    ...watching === "nobody" ? {} : { met: first - before <= MAX_GROWTH_MB },
    notes: [
      `server and job host: resident ${before.toFixed(0)} MB before, ${first.toFixed(0)} after ${
        mb(bytes).toFixed(0)
      } MB of output, ` +
      `${second.toFixed(0)} after as much again; at most ${mb(peak).toFixed(0)}`,
    ],
  };
  return watching === "stalled" ? [memory, await measureTail(client, id, 2 * bytes)] : [memory];
}

/** Asks for the end of a large log. */
async function measureTail({ calls }: RpcClient, id: string, bytes: number): Promise<Finding> {
  const times: number[] = [];
  for (let round = 0; round < 11; round++) {
    const start = performance.now();
    let text = "";
    const decoder = new TextDecoder();
    for await (const { data } of calls.GetOutput({ id, tail_lines: 10, follow: false })) text += decoder.decode(data);
    times.push(performance.now() - start);
    if (text.split("\n").length < 10) throw new Error(`The last 10 lines were: ${text}`);
  }
  return {
    ...TAIL,
    measured: `${median(times).toFixed(1)} ms`,
    met: median(times) <= 100,
    notes: [`of ${mb(bytes).toFixed(0)} MB, as a client sees it; rounds: ${list(times, 1)}`],
  };
}

/** Reads live output with stalled watchers and alone, in turns. */
async function measureBeside(stage: Stage): Promise<Finding> {
  const bytes = stage.quick ? 67_108_864 : 268_435_456;
  const rounds = stage.quick ? 1 : 5;
  await using teleportd = await startTeleportd(stage);
  await using client = connectTo(stage, teleportd);
  const word = new TextEncoder().encode("on\n");
  const read = async (withWatchers: boolean) => {
    const flood = (count: number) =>
      `read word <&3; dd if=/dev/zero bs=65536 iflag=count_bytes count=${count} status=none`;
    const script = `echo ready; ${flood(PREFILL_BYTES)}; ${flood(bytes)}`;
    const { id, gate } = await startGated(stage, client, script);
    await using _watchers = withWatchers ? await watchStalled(stage, teleportd, id) : undefined;
    let arrived = -"ready\n".length;
    let start = NaN;
    await gate.write(word);
    for await (const { data } of client.calls.GetOutput({ id })) {
      arrived += data.length;
      if (arrived !== PREFILL_BYTES) continue;
      // The buffers of the watchers that read nothing are full by now.
      start = performance.now();
      await gate.write(word);
    }
    const seconds = (performance.now() - start) / 1_000;
    if (arrived !== PREFILL_BYTES + bytes) throw new Error(`Expected ${PREFILL_BYTES + bytes} bytes, got ${arrived}`);
    gate.close();
    await client.calls.Remove({ id });
    return mb(bytes) / seconds;
  };
  const alone: number[] = [];
  const beside: number[] = [];
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    const [one, other] = [await read(false), await read(true)];
    if (round === 0) continue;
    alone.push(one);
    beside.push(other);
  }
  const ratio = median(beside.map((rate, round) => rate / (alone[round] ?? NaN)));
  return {
    ...BESIDE,
    measured: `${((1 - ratio) * 100).toFixed(0)}% slower`,
    met: ratio >= 0.8,
    notes: [
      `${median(beside).toFixed(0)} MB/s live against ${median(alone).toFixed(0)} MB/s alone (medians)`,
      `rounds: ${list(beside)} against ${list(alone)}`,
    ],
  };
}

/** Measures the memory, the reader that is not stalled, and the end of the log. */
export async function measureStalled(stage: Stage): Promise<Finding[]> {
  return [
    ...await measureMemory(stage, UNWATCHED, "nobody"),
    ...await measureMemory(stage, MEMORY, "stalled"),
    ...await measureMemory(stage, FROZEN, "frozen"),
    await measureBeside(stage),
  ];
}
