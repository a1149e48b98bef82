/** Tests of sets of capabilities. */
import assert from "node:assert/strict";
import { CAP, hasCapability } from "../../base/capabilities.ts";

Deno.test("hasCapability() reads the bit of the capability", () => {
  assert.equal(hasCapability(0n, CAP.SYS_ADMIN), false);
  assert.equal(hasCapability(0x1ff_ffff_ffffn, CAP.SYS_ADMIN), true);
  assert.equal(hasCapability(1n << 23n, CAP.SYS_NICE), true);
  assert.equal(hasCapability(1n << 23n, CAP.SYS_RESOURCE), false);
});
