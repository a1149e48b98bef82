/** A bound on every wait of a test: what never comes fails that test, not the whole run. */

/** Generous, for a machine that many share. */
const DEADLINE_MS = 30_000;

/** The promise's result, or an error when it takes longer. */
export async function deadline<Result>(promise: Promise<Result>, ms = DEADLINE_MS): Promise<Result> {
  const { promise: overdue, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`Nothing happened within ${ms} ms`)), ms);
  try {
    return await Promise.race([promise, overdue]);
  } finally {
    clearTimeout(timer);
  }
}
