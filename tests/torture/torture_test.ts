/** Each torture in its short form, with a fixed seed: the server serves on and nobody else suffers. */
import assert from "node:assert/strict";
import { TORTURES } from "./main.ts";
import { Random } from "../support/random.ts";
import { complaints, makeStage } from "./stage.ts";

const SEED = 10;

const SETTLE_MS = 2_000;

// A server that has done little grows with everything it does, so its memory is checked by the long form only.
const ONLY_LONG = /^Memory/;

for (const torture of TORTURES) {
  Deno.test(`a server withstands ${torture.name}: ${torture.about}`, async () => {
    await using stage = await makeStage();
    const outcome = await stage.watch(
      () => torture.run(stage, new Random(SEED), { seed: SEED, short: true }),
      SETTLE_MS,
    );
    const found = complaints(outcome).filter((complaint) => !ONLY_LONG.test(complaint));
    assert.deepEqual(found, [], `seed ${SEED}: ${JSON.stringify(outcome)}`);
    assert.equal(await stage.server.stop(), 0);
  });
}
