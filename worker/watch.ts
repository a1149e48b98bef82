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
  return new GeneratorWatch(signal, generate);
}

/** A watch of a generator. An async function as next() would add ten objects to each wait of a watcher. */
class GeneratorWatch<Item, Final> implements Watch<Item, Final> {
  readonly #signal: AbortSignal | undefined;
  readonly #left = new AbortController();
  readonly #generator: AsyncGenerator<Item, Final, void>;
  #isStarted = false;
  #isOver = false;

  constructor(signal: AbortSignal | undefined, generate: (signal: AbortSignal) => AsyncGenerator<Item, Final, void>) {
    this.#signal = signal;
    this.#generator = generate(this.#left.signal);
  }

  readonly #abort = () => {
    this.#left.abort(this.#signal?.reason);
    // Frees what the generator holds, even if the caller is busy with an item and asks for no next one.
    this.#generator.return(undefined as Final).catch(() => {});
  };

  readonly #taken = (result: IteratorResult<Item, Final>) => {
    if (result.done) this.#finish();
    return result;
  };

  readonly #failed = (error: unknown): IteratorResult<Item, Final> => {
    this.#finish();
    if (error === LEFT) return { done: true, value: undefined as Final };
    throw error;
  };

  next(): Promise<IteratorResult<Item, Final>> {
    if (this.#signal?.aborted && !this.#isOver) return this.throw(this.#signal.reason);
    if (!this.#isStarted) {
      this.#isStarted = true;
      // Added at the first next(): a signal that lives longer must not hold a watch that is never iterated.
      this.#signal?.addEventListener("abort", this.#abort, { once: true });
    }
    return this.#generator.next().then(this.#taken, this.#failed);
  }

  async return(value?: Final | PromiseLike<Final>): Promise<IteratorResult<Item, Final>> {
    this.#finish();
    this.#left.abort(LEFT);
    return await this.#generator.return(value as Final);
  }

  async throw(error?: unknown): Promise<IteratorResult<Item, Final>> {
    await this.return();
    throw error;
  }

  #finish(): void {
    this.#isOver = true;
    this.#signal?.removeEventListener("abort", this.#abort);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.dispose](): void {
    this.return().catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
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
