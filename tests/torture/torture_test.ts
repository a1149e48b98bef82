/** Runs each torture in its short form with a fixed seed. The server keeps serving and no other client suffers. */
import assert from "node:assert/strict";
import { TORTURES } from "./main.ts";
import { Random } from "../support/random.ts";
import { complaints, makeStage } from "./stage.ts";

const SEED = 10;

const SETTLE_MS = 2_000;

/** A complaint that only the long form checks: the memory of a server that has served few calls still grows. */
const ONLY_LONG = /^Memory/;

for (const torture of TORTURES) {
  Deno.test(`a server keeps serving other clients during ${torture.name}: ${torture.about}`, async () => {
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
