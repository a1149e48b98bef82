/** Tests of the validity of new certificates. */
import assert from "node:assert/strict";
import { lifetime } from "../../certs/lifetime.ts";
import { refuses } from "../support/certs.ts";

const now = new Date("2026-01-01T12:00:00.789Z");

for (
  const [kind, end] of [
    ["authority", "2035-12-30T12:00:00.000Z"],
    ["server", "2027-01-01T12:00:00.000Z"],
    ["client", "2026-04-01T12:00:00.000Z"],
  ] as const
) {
  Deno.test(`lifetime() returns the default of ${kind}, from five minutes ago, in whole seconds`, () => {
    const { notBefore, notAfter } = lifetime({ kind, now });
    assert.equal(notBefore.toISOString(), "2026-01-01T11:55:00.000Z");
    assert.equal(notAfter.toISOString(), end);
  });
}

Deno.test("lifetime() returns the given days", () => {
  assert.equal(lifetime({ kind: "client", days: 1, now }).notAfter.toISOString(), "2026-01-02T12:00:00.000Z");
  assert.equal(lifetime({ kind: "client", days: 3650, now }).notAfter.toISOString(), "2035-12-30T12:00:00.000Z");
});

for (const days of [0, -1, 1.5, 3651, NaN, Infinity]) {
  Deno.test(`lifetime() refuses ${days} days`, async () => {
    await refuses(() => lifetime({ kind: "client", days, now }), "INVALID_ARGUMENT", /from 1 to 3650/);
  });
}

Deno.test("lifetime() shortens a default to the end of the authority", () => {
  const authorityNotAfter = new Date("2026-02-01T00:00:00Z");
  assert.deepEqual(lifetime({ kind: "server", authorityNotAfter, now }).notAfter, authorityNotAfter);
});

Deno.test("lifetime() refuses days after the end of the authority", async () => {
  const authorityNotAfter = new Date("2026-01-08T12:00:00Z");
  assert.equal(lifetime({ kind: "client", days: 7, authorityNotAfter, now }).notAfter <= authorityNotAfter, true);
  const work = () => lifetime({ kind: "client", days: 8, authorityNotAfter, now });
  await refuses(work, "INVALID_ARGUMENT", /the authority ends on 2026-01-08/);
});
