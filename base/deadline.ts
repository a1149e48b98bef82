/** Waits with a deadline, and leaves no timer. */

/** Resolves as the promise does, or to undefined when it has not settled in time. The promise is not cancelled. */
export async function deadline<Value>(promise: Promise<Value>, ms: number): Promise<Value | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const overdue = new Promise<undefined>((resolve) => timer = setTimeout(() => resolve(undefined), ms));
  try {
    return await Promise.race([promise, overdue]);
  } finally {
    clearTimeout(timer);
  }
}
