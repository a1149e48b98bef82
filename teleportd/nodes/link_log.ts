/** Logs why a node host has no link to its gateway. A host dials for ever, and its log is bounded. */
import type { Logger } from "../../base/logger.ts";

/** The first losses, which are all logged. */
const ALL = 16;

/**
 * Returns a function that logs changes of the link. A reason is logged once until there is a link. Reasons may come in
 * turns for months, so after the first ones only each loss is logged whose number is a power of two.
 */
export function linkLog(addresses: readonly string[], log: Pick<Logger, "warn">) {
  let last: string | undefined;
  let losses = 0;
  return (isLinked: boolean, why?: string): void => {
    const isNew = !isLinked && why !== last;
    last = isLinked ? undefined : why;
    if (!isNew) return;
    losses += 1;
    if (losses <= ALL || Number.isInteger(Math.log2(losses))) {
      log.warn(`No link to the gateway at ${addresses.join(", ")}: ${why}`);
    }
  };
}
