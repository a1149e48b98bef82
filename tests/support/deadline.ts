/** Deadlines for the waits of a test: an event that never comes fails one test and not the whole run. */

/** The default deadline in milliseconds. It leaves room for a machine that many programs share. */
const DEADLINE_MS = 120_000;

/** The pause between two checks of a condition that no event reports, in milliseconds. */
const CHECK_EVERY_MS = 20;

/**
 * Waits for a promise.
 *
 * @param promise the promise to wait for
 * @param what the awaited event, for the error text
 * @param ms the deadline in milliseconds
 * @throws {Error} when the promise is not settled in time; the text of `what()` is made at that moment
 */
export async function deadline<Result>(
  promise: Promise<Result>,
  what: string | (() => string) = "an event",
  ms = DEADLINE_MS,
): Promise<Result> {
  const { promise: overdue, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(overdueText(what, ms))), ms);
  try {
    return await Promise.race([promise, overdue]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Waits until a condition holds. It checks the condition every 20 ms, so it is only for a state that no event reports,
 * such as the contents of `/proc`.
 *
 * @param holds the condition
 * @param what the awaited state, for the error text
 * @param ms the deadline in milliseconds
 * @throws {Error} when the condition does not hold in time; the text of `what()` is made at that moment
 */
export async function eventually(
  holds: () => boolean | Promise<boolean>,
  what: string | (() => string),
  ms = DEADLINE_MS,
): Promise<void> {
  const end = performance.now() + ms;
  while (!await holds()) {
    if (performance.now() > end) throw new Error(overdueText(what, ms));
    await new Promise((resolve) => setTimeout(resolve, CHECK_EVERY_MS));
  }
}

function overdueText(what: string | (() => string), ms: number): string {
  return `The test waited more than ${ms} ms for ${typeof what === "string" ? what : what()}`;
}
