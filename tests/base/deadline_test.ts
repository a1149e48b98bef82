/** Tests for waits with a deadline. */
import assert from "node:assert/strict";
import { deadline } from "../../base/deadline.ts";

Deno.test("deadline() settles as the promise does, and leaves no timer", async () => {
  assert.equal(await deadline(Promise.resolve(7), 60_000), 7);
  await assert.rejects(deadline(Promise.reject(new Error("no")), 60_000), /^Error: no$/);
});

Deno.test("deadline() resolves to undefined when the promise is late", async () => {
  const { promise, resolve } = Promise.withResolvers<number>();
  assert.equal(await deadline(promise, 1), undefined);
  resolve(7);
});
