/** Runs the mixed load against a real server, and checks that memory, descriptors and latency stay flat. */
import { connect } from "../../rpc/client/client.ts";
import { parseAddress } from "../../rpc/shared/address.ts";
import { issueClient } from "../../certs/issue.ts";
import { type Ground, ROUNDS } from "./load.ts";
import { startServer } from "../support/programs.ts";

/** The figures of a part of the soak. */
export interface Window {
  /** The median of the server's resident memory. */
  readonly memoryBytes: number;
  /** The largest number of the server's descriptors. */
  readonly descriptors: number;
  /** The latency of Status calls, one at a time. */
  readonly latencyP99Ms: number;
  readonly latencyMedianMs: number;
}

/** The result of a soak. */
export interface SoakResult {
  /** Four parts of equal length, after a warm-up of a fifth of the time. */
  readonly windows: readonly Window[];
  /** The number of rounds of each kind of load. */
  readonly rounds: Readonly<Record<string, number>>;
  readonly errors: readonly string[];
  /** The server after one round of each kind, before the load; and after the load has left. */
  readonly before: { readonly memoryBytes: number; readonly descriptors: number };
  readonly after: { readonly memoryBytes: number; readonly descriptors: number };
}

/** The pause between calls whose latency is measured. */
const PROBE_MS = 50;

/** The pause between two rounds of one kind, because the load is not a flood. */
const PAUSE_MS = 100;

/** The time in which the server must close everything that the load left open. */
const SETTLE_MS = 30_000;

const WINDOWS = 4;

/**
 * Runs the load.
 *
 * @param durationMs the time of the load in milliseconds
 */
export async function soak(durationMs: number): Promise<SoakResult> {
  await using server = await startServer();
  const certs = `${server.dir}/certs`;
  await issueClient({ dir: certs, name: "viewer", roles: ["viewer"] });
  await issueClient({ dir: certs, name: "norole", roles: ["unknown"] });
  const read = (name: string) => Deno.readTextFile(`${certs}/${name}`);
  const connectAs = async (identity: string) => {
    const [ca, cert, key] = await Promise.all([read("ca.crt"), read(`${identity}.crt`), read(`${identity}.key`)]);
    return connect({ address: server.address, credentials: { ca, cert, key } });
  };
  const pid = server.process.pid;
  await using admin = await connectAs("admin");
  await using prober = await connectAs("admin");
  const { id } = await prober.calls.Register({ command: "true" });
  const ground: Ground = { admin, connect: connectAs, ...parseAddress(server.address) };
  for (const round of Object.values(ROUNDS)) await round(ground);
  const before = { memoryBytes: memoryOf(pid), descriptors: await settled(pid, Infinity) };

  const errors: string[] = [];
  const rounds: Record<string, number> = {};
  const startMs = performance.now();
  const isOver = () => performance.now() - startMs >= durationMs || errors.length > 20;
  const load = Object.entries(ROUNDS).map(async ([name, round]) => {
    while (!isOver()) {
      try {
        await round(ground);
        rounds[name] = (rounds[name] ?? 0) + 1;
      } catch (error) {
        errors.push(`${name}: ${error instanceof Error ? error.message : error}`);
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  });
  const samples: { atMs: number; latencyMs: number; memoryBytes: number; descriptors: number }[] = [];
  while (!isOver()) {
    const sentMs = performance.now();
    try {
      await prober.calls.Status({ id });
    } catch (error) {
      errors.push(`probe: ${error instanceof Error ? error.message : error}`);
    }
    const latencyMs = performance.now() - sentMs;
    samples.push({
      atMs: sentMs - startMs,
      latencyMs,
      memoryBytes: memoryOf(pid),
      descriptors: descriptorsOf(pid),
    });
    await new Promise((resolve) => setTimeout(resolve, PROBE_MS));
  }
  await Promise.all(load);
  const descriptors = await settled(pid, before.descriptors);
  return {
    windows: Array.from({ length: WINDOWS }, (_, index) => {
      const fromMs = durationMs * (0.2 + 0.8 * index / WINDOWS);
      const toMs = fromMs + durationMs * 0.8 / WINDOWS;
      return windowOf(samples.filter(({ atMs }) => atMs >= fromMs && atMs < toMs));
    }),
    rounds,
    errors,
    before,
    after: { memoryBytes: memoryOf(pid), descriptors },
  };
}

function windowOf(samples: readonly { latencyMs: number; memoryBytes: number; descriptors: number }[]): Window {
  const sorted = samples.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b);
  const memory = samples.map(({ memoryBytes }) => memoryBytes).sort((a, b) => a - b);
  return {
    memoryBytes: memory[Math.floor(memory.length / 2)] ?? 0,
    descriptors: Math.max(0, ...samples.map(({ descriptors }) => descriptors)),
    latencyP99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
    latencyMedianMs: sorted[Math.floor(sorted.length / 2)] ?? 0,
  };
}

/** Waits until the server has at most this number of descriptors or the time is over, and gives the number. */
async function settled(pid: number, most: number): Promise<number> {
  const deadlineMs = performance.now() + SETTLE_MS;
  while (descriptorsOf(pid) > most && performance.now() < deadlineMs) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return descriptorsOf(pid);
}

function memoryOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1]) * 1024;
}

function descriptorsOf(pid: number): number {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
}

/** Names everything that was not flat. */
export function judge({ windows, errors, before, after }: SoakResult): string[] {
  const found = [...errors];
  const [first, last] = [windows[0], windows.at(-1)];
  if (first === undefined || last === undefined) return [...found, "nothing was measured"];
  const mebibytes = (bytes: number) => `${Math.round(bytes / 1_048_576)} MiB`;
  if (last.memoryBytes > first.memoryBytes * 1.15) {
    found.push(`memory grew from ${mebibytes(first.memoryBytes)} to ${mebibytes(last.memoryBytes)}`);
  }
  if (after.descriptors > before.descriptors) {
    found.push(`${after.descriptors} descriptors are open, ${before.descriptors} were before`);
  }
  for (const [index, { latencyP99Ms }] of windows.entries()) {
    if (latencyP99Ms > 250) found.push(`the 99th percentile of part ${index + 1} is ${Math.round(latencyP99Ms)} ms`);
  }
  return found;
}
