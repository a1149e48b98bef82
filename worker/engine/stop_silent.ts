/** Stops a job whose host has no link: over the next link, or else through the engine. */
import { sleep } from "../../base/backoff.ts";
import type { AnyJob } from "../job/any_job.ts";
import type { StopOptions } from "../process/options.ts";
import type { Engine } from "./engine.ts";
import type { PlacedHost } from "./placed_host.ts";

/** A host that lives has a link again within this time, in milliseconds. The longest wait between two dials is 10 s. */
const DIAL_MS = 12_000;

/** Options of a stop. */
export interface SilentStop {
  readonly engine: Engine;
  readonly host: PlacedHost;
  readonly options: StopOptions;
  /** The time from the engine's TERM to its KILL, in milliseconds. */
  readonly killMs: number;
  readonly job: Pick<AnyJob, "isFinalState">;
  /** Called after the engine was asked. */
  readonly onAsked: () => void;
  readonly signal: AbortSignal;
}

/**
 * Stops a job whose host has no link. A stop over a link has its own grace period and names the user. So the engine is
 * asked only when there is no link in time. The end of the job is decided elsewhere.
 *
 * @returns after the engine was asked to kill the job, or when that is not needed
 * @throws {EngineUnavailableError} when the engine does not answer
 */
export async function stopSilent(stop: SilentStop): Promise<void> {
  const { engine, host, job, options, killMs, onAsked, signal } = stop;
  host.stop = options;
  await sleep(Math.max(0, DIAL_MS - host.silentMs), signal);
  for (const how of ["TERM", "KILL"] as const) {
    if (job.isFinalState || host.open !== undefined) return;
    await engine.cancel(host.ref, how);
    onAsked();
    if (how === "TERM") await sleep(killMs, signal);
  }
}
