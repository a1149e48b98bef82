/** Uncaught errors in the log. */
import assert from "node:assert/strict";
import { handleUncaught } from "../../../teleportd/process/uncaught.ts";
import { deadline } from "../../support/deadline.ts";
import { FakeTime } from "../../support/fake_time.ts";

/** Rejects promises that nobody awaits, and waits until they were reported. */
async function rejectMany(count: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = count;
  const seen = () => {
    left -= 1;
    if (left === 0) resolve();
  };
  globalThis.addEventListener("unhandledrejection", seen);
  try {
    for (let i = 1; i <= count; i++) void Promise.reject(new Error(`rejection ${i}`));
    await deadline(promise, "the reports of the rejections");
  } finally {
    globalThis.removeEventListener("unhandledrejection", seen);
  }
}

Deno.test("handleUncaught() logs one rejection a second, because clients may cause any number", async () => {
  // All rejections come in the same second, however busy the machine is.
  using _time = new FakeTime();
  const messages: string[] = [];
  const ignore = () => {};
  const log = { error: (message: string) => void messages.push(message), warn: ignore, info: ignore, debug: ignore };
  const stop = () => assert.fail("A rejection does not stop the server");
  {
    using uncaught = handleUncaught({ log, stop, hurry: stop, stopTimeoutMs: 1 });
    await rejectMany(500);
    assert.equal(uncaught.hasException, false);
    assert.deepEqual(messages, ["Internal error, unhandled rejection: Error: rejection 1"]);
  }
  assert.deepEqual(messages.slice(1), [
    "Internal error, unhandled rejection: Error: rejection 500 (and 498 more in the last second)",
  ]);
});
