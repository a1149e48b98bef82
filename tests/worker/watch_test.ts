/** Tests for watches: a caller can leave them at any moment, and then they hold nothing. */
import assert from "node:assert/strict";
import { type Watch, watch, watchLater } from "../../worker/watch.ts";

/** A source that yields `items`, then waits for ever. It counts what it holds. */
function source(
  items: readonly number[],
): { generate(signal: AbortSignal): AsyncGenerator<number, string, void>; held: number } {
  const self = {
    held: 0,
    async *generate(signal: AbortSignal): AsyncGenerator<number, string, void> {
      self.held += 1;
      try {
        yield* items;
        signal.throwIfAborted();
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
        signal.throwIfAborted();
        return "never";
      } finally {
        self.held -= 1;
      }
    },
  };
  return self;
}

Deno.test("watch() returns all items and then the final value", async () => {
  const watching: Watch<number, string> = watch(undefined, async function* () {
    yield 1;
    yield 2;
    return "end";
  });
  const seen: unknown[] = [];
  for (let result = await watching.next();; result = await watching.next()) {
    seen.push(result.value);
    if (result.done) break;
  }
  assert.deepEqual(seen, [1, 2, "end"]);
  assert.deepEqual(await watching.next(), { done: true, value: undefined });
});

Deno.test("watch() throws the reason of the signal and starts nothing when it has aborted before", async () => {
  const from = source([1]);
  const reason = new Error("enough");
  const watching = watch(AbortSignal.abort(reason), from.generate);
  await assert.rejects(watching.next(), reason);
  assert.equal(from.held, 0);
  assert.equal((await watching.next()).done, true);
});

Deno.test("watch() throws the reason of the signal when it aborts during a wait", async () => {
  const from = source([]);
  const abort = new AbortController();
  const waiting = watch(abort.signal, from.generate).next();
  const reason = new Error("enough");
  abort.abort(reason);
  await assert.rejects(waiting, reason);
  assert.equal(from.held, 0);
});

Deno.test("watch() frees what it holds when the signal aborts between two items, and throws at the next one", async () => {
  const from = source([1, 2]);
  const abort = new AbortController();
  const watching = watch(abort.signal, from.generate);
  assert.equal((await watching.next()).value, 1);
  assert.equal(from.held, 1);
  const reason = new Error("enough");
  abort.abort(reason);
  await new Promise((resolve) => setImmediate(resolve)); // No call of next() may be needed.
  assert.equal(from.held, 0);
  await assert.rejects(watching.next(), reason);
  assert.equal((await watching.next()).done, true);
});

Deno.test("watch() throws nothing when the signal aborts after its end", async () => {
  const abort = new AbortController();
  const watching = watch(abort.signal, async function* () {
    yield 1;
  });
  assert.deepEqual(await Array.fromAsync(watching), [1]);
  abort.abort(new Error("late"));
  assert.equal((await watching.next()).done, true);
});

Deno.test("return() ends a running wait, whose next() is then done", async () => {
  const from = source([]);
  const watching = watch(undefined, from.generate);
  const waiting = [watching.next(), watching.next()];
  assert.deepEqual(await watching.return("left"), { done: true, value: "left" });
  for (const { done, value } of await Promise.all(waiting)) {
    assert.equal(done, true);
    assert.equal(value, undefined);
  }
  assert.equal(from.held, 0);
});

Deno.test("return() before the first next() starts nothing, and a second return() does nothing", async () => {
  const from = source([1]);
  const watching = watch(undefined, from.generate);
  await watching.return();
  await watching.return();
  assert.equal((await watching.next()).done, true);
  assert.equal(from.held, 0);
});

Deno.test("return() after the abort of the signal throws nothing", async () => {
  const from = source([1, 2]);
  const abort = new AbortController();
  const watching = watch(abort.signal, from.generate);
  await watching.next();
  await watching.return();
  abort.abort(new Error("late"));
  assert.equal((await watching.next()).done, true);
});

Deno.test("watch() ends by break, a throw in the loop, using and await using", async () => {
  const from = source([1, 2, 3]);
  for await (const _ of watch(undefined, from.generate)) break;
  assert.equal(from.held, 0);
  const failure = new Error("of the consumer");
  await assert.rejects(async () => {
    for await (const _ of watch(undefined, from.generate)) throw failure;
  }, failure);
  assert.equal(from.held, 0);
  {
    await using watching = watch(undefined, from.generate);
    await watching.next();
    assert.equal(from.held, 1);
  }
  assert.equal(from.held, 0);
  let waiting: Promise<IteratorResult<number, string>>;
  {
    using watching = watch(undefined, source([]).generate);
    waiting = watching.next();
  }
  assert.equal((await waiting).done, true);
});

Deno.test("throw() leaves a watch and throws its argument", async () => {
  const from = source([1]);
  const watching = watch(undefined, from.generate);
  await watching.next();
  const failure = new Error("given");
  await assert.rejects(watching.throw(failure), failure);
  assert.equal(from.held, 0);
});

Deno.test("watch() throws the error of its source once", async () => {
  const failure = new Error("of the source");
  // deno-lint-ignore require-yield -- it fails before the first item
  const watching = watch(undefined, async function* () {
    throw failure;
  });
  await assert.rejects(watching.next(), failure);
  assert.equal((await watching.next()).done, true);
});

Deno.test("watch() leaves no listener on a signal after 10,000 watches", async () => {
  const abort = new AbortController();
  let listeners = 0;
  const { signal } = abort;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  const onSignal = new Set<unknown>();
  signal.addEventListener = (
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: AddEventListenerOptions,
  ) => {
    listeners += 1;
    onSignal.add(listener);
    add(type, listener, options);
  };
  signal.removeEventListener = (type: string, listener: EventListenerOrEventListenerObject) => {
    onSignal.delete(listener);
    remove(type, listener);
  };
  for (let index = 0; index < 10_000; index++) {
    const watching = watch(signal, source([1]).generate);
    if (index % 3 === 0) continue; // A watch that is never iterated must not be held.
    await watching.next();
    await watching.return();
  }
  assert.ok(listeners > 6_000); // The count does see listeners.
  assert.equal(onSignal.size, 0);
});

Deno.test("watchLater() passes on the items and the final value of the watch that it opens", async () => {
  const later = watchLater(undefined, (signal) =>
    Promise.resolve(watch(signal, async function* () {
      yield 1;
      return "end";
    })));
  assert.deepEqual(await later.next(), { done: false, value: 1 });
  assert.deepEqual(await later.next(), { done: true, value: "end" });
});

Deno.test("watchLater() leaves the opened watch when it is left, and throws what opening throws", async () => {
  const from = source([1]);
  const later = watchLater(undefined, (signal) => Promise.resolve(watch(signal, from.generate)));
  assert.deepEqual(await later.next(), { done: false, value: 1 });
  assert.equal(from.held, 1);
  const waiting = later.next();
  await later.return();
  assert.equal((await waiting).done, true);
  assert.equal(from.held, 0);
  const failure = new Error("It cannot be opened");
  await assert.rejects(watchLater(undefined, () => Promise.reject(failure)).next(), failure);
});
