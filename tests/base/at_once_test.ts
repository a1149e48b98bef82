/** Tests of the limit of work that runs at once. */
import assert from "node:assert/strict";
import { AtOnce } from "../../base/at_once.ts";

Deno.test("run() runs at most as many as the limit, in the order of the calls", async () => {
  const limit = new AtOnce(2);
  const begun: number[] = [];
  const ends = Array.from({ length: 4 }, () => Promise.withResolvers<number>());
  const results = ends.map(({ promise }, number) =>
    limit.run(() => {
      begun.push(number);
      return promise;
    })
  );
  assert.deepEqual(begun, [0, 1]);
  ends[1]?.reject(new Error("broken"));
  await assert.rejects(results[1] ?? Promise.resolve(), /broken/);
  assert.deepEqual(begun, [0, 1, 2]);
  for (const [number, { resolve }] of ends.entries()) resolve(number);
  assert.deepEqual(await Promise.all([results[0], results[2], results[3]]), [0, 2, 3]);
  assert.deepEqual(begun, [0, 1, 2, 3]);
  assert.equal(await limit.run(() => Promise.resolve(4)), 4);
});
