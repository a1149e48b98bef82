/** The capabilities of Linux that decide what a server can do to its jobs: capabilities(7). */

/** The numbers of capabilities, as in <linux/capability.h>. */
export const CAP = { SETGID: 6n, SETUID: 7n, SYS_ADMIN: 21n, SYS_NICE: 23n, SYS_RESOURCE: 24n } as const;

/**
 * Returns true if a set has a capability.
 *
 * @param set the set as a bit mask, as in /proc/PID/status
 */
export function hasCapability(set: bigint, capability: bigint): boolean {
  return (set >> capability & 1n) === 1n;
}
