/** What a watcher holds: an async iteration that can be left at any moment, whatever it is waiting for. */

/**
 * An async iteration over what is watched. Leaving the loop, `return()`, disposing of it (`using` or `await using`) and
 * the abort signal given to the call all end it and give back what it held; only the signal makes it throw (the
 * signal's reason).
 */
export interface Watch<Item, Final = void> extends AsyncIterableIterator<Item, Final>, Disposable, AsyncDisposable {
  next(): Promise<IteratorResult<Item, Final>>;
  return(value?: Final | PromiseLike<Final>): Promise<IteratorResult<Item, Final>>;
  throw(error?: unknown): Promise<IteratorResult<Item, Final>>;
  [Symbol.asyncIterator](): Watch<Item, Final>;
}

/** The reason a watch aborts its own waits with when it is left; never seen outside. */
const LEFT = new Error("The watch was left");

/**
 * Makes a watch of an async generator. A bare generator cannot be left while it waits: its `return()` is queued behind
 * the wait. Here it aborts the wait first.
 *
 * @param signal of the caller
 * @param generate is given the signal that aborts every wait in it, be it the caller's or that the watch was left
 */
export function watch<Item, Final>(
  signal: AbortSignal | undefined,
  generate: (signal: AbortSignal) => AsyncGenerator<Item, Final, void>,
): Watch<Item, Final> {
  const left = new AbortController();
  const generator = generate(left.signal);
  let started = false;
  let over = false;
  const aborted = () => {
    left.abort(signal?.reason);
    // Whoever is busy with an item then need not ask for the next one: what is held goes back now.
    generator.return(undefined as Final).catch(() => {});
  };
  const finish = () => {
    over = true;
    signal?.removeEventListener("abort", aborted);
  };
  const leave = async (value?: Final | PromiseLike<Final>): Promise<IteratorResult<Item, Final>> => {
    finish();
    left.abort(LEFT);
    return await generator.return(value as Final);
  };
  const self: Watch<Item, Final> = {
    async next() {
      if (signal?.aborted && !over) {
        await leave();
        throw signal.reason;
      }
      if (!started) {
        started = true;
        // Not before: what is never iterated must not be held by a signal that outlives it.
        signal?.addEventListener("abort", aborted, { once: true });
      }
      try {
        const result = await generator.next();
        if (result.done) finish();
        return result;
      } catch (error) {
        finish();
        if (error === LEFT) return { done: true, value: undefined as Final };
        throw error;
      }
    },
    return: leave,
    async throw(error) {
      await leave();
      throw error;
    },
    [Symbol.asyncIterator]: () => self,
    [Symbol.dispose]: () => void leave().catch(() => {}),
    [Symbol.asyncDispose]: async () => void await leave(),
  };
  return self;
}
