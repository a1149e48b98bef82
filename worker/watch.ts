/** The watch: an async iteration that a caller can leave at any moment, whatever it waits for. */

/**
 * An async iteration over what is watched. It ends when the caller leaves the loop, calls `return()`, or disposes of it
 * (`using` or `await using`). It also ends when the abort signal of the call aborts. Every end frees what the watch held. Only the
 * abort signal makes it throw: the reason of the signal.
 */
export interface Watch<Item, Final = void> extends AsyncIterableIterator<Item, Final>, Disposable, AsyncDisposable {
  next(): Promise<IteratorResult<Item, Final>>;
  return(value?: Final | PromiseLike<Final>): Promise<IteratorResult<Item, Final>>;
  throw(error?: unknown): Promise<IteratorResult<Item, Final>>;
  [Symbol.asyncIterator](): Watch<Item, Final>;
}

/** The reason that aborts the waits of a watch when the caller leaves it. No caller sees it. */
const LEFT = new Error("The watch was left");

/**
 * Makes a watch of an async generator. A caller cannot leave a bare generator while it waits, because `return()` is queued
 * after the wait. This watch first aborts the wait.
 *
 * @param signal the signal of the caller
 * @param generate gets the signal that aborts its waits, when the caller's signal aborts or the watch is left
 */
export function watch<Item, Final>(
  signal: AbortSignal | undefined,
  generate: (signal: AbortSignal) => AsyncGenerator<Item, Final, void>,
): Watch<Item, Final> {
  const left = new AbortController();
  const generator = generate(left.signal);
  let isStarted = false;
  let isOver = false;
  const abort = () => {
    left.abort(signal?.reason);
    // Frees what the generator holds, even if the caller is busy with an item and asks for no next one.
    generator.return(undefined as Final).catch(() => {});
  };
  const finish = () => {
    isOver = true;
    signal?.removeEventListener("abort", abort);
  };
  const leave = async (value?: Final | PromiseLike<Final>): Promise<IteratorResult<Item, Final>> => {
    finish();
    left.abort(LEFT);
    return await generator.return(value as Final);
  };
  const self: Watch<Item, Final> = {
    async next() {
      if (signal?.aborted && !isOver) {
        await leave();
        throw signal.reason;
      }
      if (!isStarted) {
        isStarted = true;
        // Added at the first next(): a signal that lives longer must not hold a watch that is never iterated.
        signal?.addEventListener("abort", abort, { once: true });
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

/**
 * Makes a watch of a watch that cannot be opened yet.
 *
 * @param open opens the watch at the first `next()`, when it can
 */
export function watchLater<Item, Final>(
  signal: AbortSignal | undefined,
  open: (signal: AbortSignal) => Promise<Watch<Item, Final>>,
): Watch<Item, Final> {
  return watch(signal, async function* (combined): AsyncGenerator<Item, Final, void> {
    await using opened = await open(combined);
    while (true) {
      const { done, value } = await opened.next();
      if (done) return value;
      yield value;
    }
  });
}
