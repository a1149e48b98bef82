/** The signals of Linux: their names and numbers, as signal(7) lists them for x86, ARM and most other architectures. */

/** The standard signals from 1 on, without `SIG`. */
const STANDARD_NAMES =
  ("HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG " +
    "XCPU XFSZ VTALRM PROF WINCH IO PWR SYS").split(" ");

const NUMBERS = new Map(STANDARD_NAMES.map((name, index) => [`SIG${name}`, index + 1]));

/** The number of SIGRTMIN. glibc keeps the real-time signals 32 and 33 for itself. */
export const SIGRTMIN = 34;

/** The number of SIGRTMAX. */
const SIGRTMAX = 64;

/** Returns the name of a signal, such as `SIGTERM` for 15 or `SIGRTMIN+1` for 35. Undefined if the number has no name. */
export function signalName(number: number): string | undefined {
  if (number >= SIGRTMIN && number <= SIGRTMAX) {
    return number === SIGRTMIN ? "SIGRTMIN" : `SIGRTMIN+${number - SIGRTMIN}`;
  }
  const name = STANDARD_NAMES[number - 1];
  return name === undefined ? undefined : `SIG${name}`;
}

/**
 * Returns the number of a signal.
 *
 * @param name in capitals, with `SIG`, such as `SIGTERM`, `SIGRTMIN+2` or `SIGRTMAX-1`
 * @returns undefined if Linux has no such signal
 */
export function signalNumber(name: string): number | undefined {
  const standard = NUMBERS.get(name);
  if (standard !== undefined) return standard;
  const realTime = /^SIGRT(MIN|MAX)(?:([+-])([0-9]{1,2}))?$/.exec(name);
  if (realTime === null) return undefined;
  const offset = Number(realTime[3] ?? 0) * (realTime[2] === "-" ? -1 : 1);
  const number = (realTime[1] === "MIN" ? SIGRTMIN : SIGRTMAX) + offset;
  return number >= SIGRTMIN && number <= SIGRTMAX ? number : undefined;
}
