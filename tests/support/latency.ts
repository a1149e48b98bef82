/**
 * Measures a call to a server under load, and the same call to a server without load. Both calls are made at the same
 * moment, so a busy machine and a busy test delay both. Only the load of the server differs.
 */
import type { RpcClient } from "../../rpc/client/client.ts";
import { type Server, startServer } from "./programs.ts";
import { clientOf } from "./server_process.ts";

/** The pause between two calls, in milliseconds. */
const PAUSE_MS = 5;

/** The factor by which the time of the control is added to a bound. */
const NOISE_FACTOR = 3;

/** The times of both servers, in milliseconds. */
export interface Latency {
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly medianMs: number;
  /** The 99th percentile of the server without load. */
  readonly controlP99Ms: number;
}

/** Makes calls until it is disposed of. */
export interface LatencyWatch extends AsyncDisposable {
  /** The number of answered calls so far. */
  readonly count: number;
  /** Ends the calls, and gives their times. It fails when a call failed. */
  result(): Promise<Latency>;
}

/** A server without load, for several watches. */
export interface Control extends AsyncDisposable {
  /** Starts to make calls to the control and to the client's server, one after the other. */
  watch(client: RpcClient, jobId: string): LatencyWatch;
}

/** Starts a server without load, with one job. */
export async function startControl(): Promise<Control> {
  await using stack = new AsyncDisposableStack();
  const server: Server = stack.use(await startServer());
  const control = stack.use(await clientOf(server));
  const { id: controlId } = await control.calls.Register({ command: "true" });
  const owned = stack.move();
  const watch = (client: RpcClient, jobId: string): LatencyWatch => {
    const times: number[] = [];
    const controlTimes: number[] = [];
    let isOver = false;
    const timed = async ({ calls }: RpcClient, id: string, into: number[]) => {
      const asked = performance.now();
      await calls.Status({ id }, { deadlineMs: 30_000 });
      into.push(performance.now() - asked);
    };
    const calling = (async () => {
      while (!isOver) {
        await Promise.all([timed(client, jobId, times), timed(control, controlId, controlTimes)]);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    })();
    calling.catch(() => {}); // result() reports the error.
    return {
      get count() {
        return times.length;
      },
      async result() {
        isOver = true;
        await calling;
        const at = (sorted: readonly number[], share: number) => sorted[Math.floor(sorted.length * share)] ?? NaN;
        times.sort((a, b) => a - b);
        controlTimes.sort((a, b) => a - b);
        return {
          p99Ms: at(times, 0.99),
          maxMs: times.at(-1) ?? NaN,
          medianMs: at(times, 0.5),
          controlP99Ms: at(controlTimes, 0.99),
        };
      },
      async [Symbol.asyncDispose]() {
        isOver = true;
        await calling.catch(() => {});
      },
    };
  };
  return { watch, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Gives the most milliseconds that the 99th percentile may be: the bound, and the noise that the control saw. */
export function mostP99Ms(boundMs: number, { controlP99Ms }: Pick<Latency, "controlP99Ms">): number {
  return boundMs + NOISE_FACTOR * controlP99Ms;
}
