/** Sizes and times for people: rounded, in the unit that fits. JSON keeps bytes and timestamps. */

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** Formats bytes, such as `3.5 MiB`. */
export function formatBytes(bytes: number): string {
  let power = bytes < 1024 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  // 1,048,570 bytes would round to 1024.0 KiB.
  if (power < UNITS.length - 1 && Math.round(bytes / 1024 ** power) >= 1024) power += 1;
  const value = bytes / 1024 ** power;
  if (bytes === 1) return "1 byte";
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[power]}`;
}

const [SECOND, MINUTE, HOUR, DAY, YEAR] = [1_000, 60_000, 3_600_000, 86_400_000, 31_536_000_000] as const;

/** The steps of a rounded duration: below the limit, in this unit, and with the next one where it still matters. */
const STEPS: readonly (readonly [belowMs: number, unit: string, unitMs: number, next?: string, nextMs?: number])[] = [
  [2 * MINUTE, "s", SECOND],
  [10 * MINUTE, "m", MINUTE, "s", SECOND],
  [2 * HOUR, "m", MINUTE],
  [10 * HOUR, "h", HOUR, "m", MINUTE],
  [2 * DAY, "h", HOUR],
  [10 * DAY, "d", DAY, "h", HOUR],
  [2 * YEAR, "d", DAY],
  [Infinity, "y", YEAR, "d", DAY],
];

/** Formats a duration with two digits or more, such as `95s`, `5m3s`, `3h20m` or `12d`. */
export function formatAge(durationMs: number): string {
  // Clocks of two machines differ: a job may seem to start in the future.
  const ms = Math.max(0, durationMs);
  const [, unit, unitMs, next, nextMs] = STEPS.find(([belowMs]) => ms < belowMs) ?? STEPS.at(-1)!;
  const count = Math.floor(ms / unitMs);
  const rest = nextMs === undefined ? 0 : Math.floor((ms - count * unitMs) / nextMs);
  return `${count}${unit}${rest === 0 ? "" : `${rest}${next}`}`;
}
