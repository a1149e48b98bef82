/** Sources and handlers of streams of requests, for tests. */
import type { CallContext, JobWorkerHandlers } from "../../proto/service.ts";
import { deadline } from "../support/deadline.ts";

/** The handler of the call Input. */
export type Input = JobWorkerHandlers["Input"];

/** A source that gives messages until its return(), which it reports. */
export function endless(data = new Uint8Array(64 * 1024)) {
  const left = Promise.withResolvers<void>();
  const source = {
    get left() {
      return deadline(left.promise, "the end of a stream");
    },
    given: 0,
    async *[Symbol.asyncIterator]() {
      try {
        for (;; source.given++) {
          yield { data };
          await Promise.resolve();
        }
      } finally {
        left.resolve();
      }
    },
  };
  return source;
}

/** A source that gives one message and then waits without an end. */
export function quiet() {
  const left = Promise.withResolvers<void>();
  let given = 0;
  const iterator = {
    next: () =>
      given++ === 0
        ? Promise.resolve({ done: false as const, value: { id: "first" } })
        : Promise.withResolvers<IteratorResult<{ id: string }>>().promise,
    return: () => {
      left.resolve();
      return Promise.resolve({ done: true as const, value: undefined });
    },
  };
  return {
    get left() {
      return deadline(left.promise, "the end of a stream");
    },
    [Symbol.asyncIterator]: () => iterator,
  };
}

/** A handler that reads to the end, and its result. */
export function reading() {
  const over = Promise.withResolvers<{ ids: string[]; error?: unknown; context: CallContext }>();
  const read = Promise.withResolvers<void>();
  const handler: Input = async (requests, context) => {
    const ids: string[] = [];
    try {
      for await (const { id } of requests) {
        ids.push(id);
        read.resolve();
      }
    } catch (error) {
      over.resolve({ ids, error, context });
      throw error;
    }
    over.resolve({ ids, context });
    return { input_bytes: ids.length };
  };
  return {
    handler,
    get over() {
      return deadline(over.promise, "the end of a handler");
    },
    get read() {
      return deadline(read.promise, "the first message");
    },
  };
}
