/** The limit of timers. */

/** The longest timer in milliseconds: setTimeout() counts in a signed 32-bit number, 24 days. */
export const MAX_TIMER_MS = 2_147_483_647;
