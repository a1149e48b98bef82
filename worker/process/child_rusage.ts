/**
 * The processor time of an ended child, as the kernel counted it. Deno reports the exit status of a child but not its
 * usage. The kernel's sum over all children grows by it, so the usage of a child that ended alone is known exactly.
 */
import { type CpuTicks, readChildrenTicks } from "../linux/procfs.ts";

/** The callers that saw an exit in this turn of the event loop. */
let callers: ((ticks: CpuTicks | undefined) => void)[] = [];

/** The sum after the last exit. */
let lastSum = readChildrenTicks();

/**
 * Returns what a child used, and those of its children that it waited for. Call it in the same turn of the event loop in
 * which the child's exit is seen.
 *
 * @returns undefined if other children ended in the same turn and used something, or if /proc cannot be read
 */
export function endedChildTicks(): Promise<CpuTicks | undefined> {
  const { promise, resolve } = Promise.withResolvers<CpuTicks | undefined>();
  callers.push(resolve);
  // Deno reports all exits of a turn before this runs, and waits for no further child until then.
  if (callers.length === 1) setImmediate(resolveAll);
  return promise;
}

function resolveAll(): void {
  const resolves = callers;
  callers = [];
  const now = readChildrenTicks();
  const ticks = now && lastSum && { user: now.user - lastSum.user, system: now.system - lastSum.system };
  lastSum = now;
  const isKnown = ticks !== undefined && (resolves.length === 1 || (ticks.user === 0 && ticks.system === 0));
  for (const resolve of resolves) resolve(isKnown ? ticks : undefined);
}
