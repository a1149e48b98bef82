/** The user and the roles of a certificate, and certificates without a valid user. */
import assert from "node:assert/strict";
import type { PeerCertificate } from "../../../proto/service.ts";
import { UnauthenticatedError } from "../../../service/errors.ts";
import { identify } from "../../../service/policy/identity.ts";
import { certificateOf } from "../../support/service.ts";

Deno.test("identify() returns the common name as user and each organization once as role", () => {
  assert.deepEqual(identify(certificateOf("ann", "viewer", "operator", "viewer")), {
    user: "ann",
    roles: ["viewer", "operator"],
  });
  assert.deepEqual(identify(certificateOf("bob")), { user: "bob", roles: [] });
});

Deno.test("identify() accepts names of all scripts, up to 64 characters and 32 roles", () => {
  for (const user of ["Zoë O'Neil", "杜甫", "a".repeat(64)]) {
    assert.equal(identify(certificateOf(user, "admin")).user, user);
  }
  const roles = Array.from({ length: 32 }, (_, index) => `role-${index}`);
  assert.deepEqual(identify(certificateOf("ann", ...roles)).roles, roles);
  // The bound is on roles, not on how often each is named.
  assert.deepEqual(identify(certificateOf("ann", ...Array(40).fill("admin"))).roles, ["admin"]);
});

Deno.test("identify() returns the same identity for the same certificate, and another for another", () => {
  const [ann, bob] = [certificateOf("ann", "admin"), certificateOf("bob", "viewer")];
  assert.equal(identify(ann), identify(ann));
  assert.equal(identify(bob).user, "bob");
  assert.equal(identify(ann).user, "ann");
});

const ann = certificateOf("ann", "admin");
const nobodies: [string, PeerCertificate | undefined, RegExp][] = [
  ["no certificate", undefined, /^No client certificate: use /],
  ["an authority's certificate", { ...ann, isAuthority: true }, /^The certificate is an authority's/],
  ["no common name", { ...ann, commonNames: [] }, /does not name exactly one user/],
  ["two common names", { ...ann, commonNames: ["ann", "bob"] }, /does not name exactly one user/],
  ["the same common name twice", { ...ann, commonNames: ["ann", "ann"] }, /does not name exactly one user/],
  ["an empty common name", { ...ann, commonNames: [""] }, /does not name exactly one user/],
  ["a blank common name", { ...ann, commonNames: [" \u00a0"] }, /does not name exactly one user/],
  ["a name of 65 characters", { ...ann, commonNames: ["a".repeat(65)] }, /too long or holds control/],
  ["33 roles", { ...ann, organizations: Array.from({ length: 33 }, (_, i) => `${i}`) }, /33 roles .*at most 32/],
  ...["\0", "\n", "\r", "\x1b", "\x7f", "\u200b", "\u202e", "\u2028", "\u2029", "\ue000", "\ud800"].map((
    character,
  ): [string, PeerCertificate, RegExp] => [
    `a name that holds U+${character.charCodeAt(0).toString(16)}`,
    { ...ann, commonNames: [`ann${character}`] },
    /too long or holds control/,
  ]),
];

for (const [what, certificate, message] of nobodies) {
  Deno.test(`identify() refuses ${what}`, () => {
    // Twice, because an identity is cached.
    for (let times = 0; times < 2; times++) {
      assert.throws(() => identify(certificate), (error) => {
        assert(error instanceof UnauthenticatedError);
        assert.equal(error.code, "UNAUTHENTICATED");
        assert.match(error.message, message);
        assert.match(error.message, /: use a client certificate made by this server's authority$/);
        return true;
      });
    }
  });
}
