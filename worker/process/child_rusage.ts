/**
 * What the kernel counted for a child of this process when it was waited for. Deno says how a child ended and not what it
 * used, but the sum over all children grows by it: who ended alone is known exactly.
 */
import { type CpuTicks, readChildrenTicks } from "../linux/procfs.ts";

/** Ends that were seen in this turn of the event loop. */
let ended: ((ticks: CpuTicks | undefined) => void)[] = [];

/** The sum at the last end. */
let before = readChildrenTicks();

/**
 * Tells what a child used, and what those used of its children that it waited for. To be called at once when its end is
 * seen. Undefined where others ended at the same time, unless none of them used anything; and where it cannot be read.
 */
export function endedChildTicks(): Promise<CpuTicks | undefined> {
  const { promise, resolve } = Promise.withResolvers<CpuTicks | undefined>();
  ended.push(resolve);
  // All ends of a turn are told before this, and no further child is waited for.
  if (ended.length === 1) setImmediate(tell);
  return promise;
}

function tell(): void {
  const resolves = ended;
  ended = [];
  const now = readChildrenTicks();
  const ticks = now && before && { user: now.user - before.user, system: now.system - before.system };
  before = now;
  const isKnown = ticks !== undefined && (resolves.length === 1 || (ticks.user === 0 && ticks.system === 0));
  for (const resolve of resolves) resolve(isKnown ? ticks : undefined);
}
