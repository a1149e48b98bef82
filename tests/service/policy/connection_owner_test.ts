/** The owner of a connection by its certificate. */
import assert from "node:assert/strict";
import type { PeerCertificate } from "../../../proto/service.ts";
import { DEFAULT_POLICY } from "../../../service/policy/default.ts";
import { ownerOf } from "../../../service/policy/connection_owner.ts";

function certificate(user: string[], roles: string[], isAuthority = false): PeerCertificate {
  const rest = { serialNumber: "01", fingerprint: "ab", issuer: "", notAfter: new Date("2030-01-01") };
  return { commonNames: user, organizations: roles, isAuthority, ...rest };
}

Deno.test("ownerOf() distinguishes users with a role from those without", () => {
  assert.deepEqual(ownerOf(DEFAULT_POLICY, certificate(["ann"], ["viewer"])), { user: "ann", isMember: true });
  assert.deepEqual(ownerOf(DEFAULT_POLICY, certificate(["ann"], ["x", "admin"])), { user: "ann", isMember: true });
  assert.deepEqual(ownerOf(DEFAULT_POLICY, certificate(["eve"], [])), { user: "eve", isMember: false });
  assert.deepEqual(ownerOf(DEFAULT_POLICY, certificate(["eve"], ["Admin"])), { user: "eve", isMember: false });
});

Deno.test("ownerOf() gives a certificate without a user a name of its own and no role", () => {
  for (
    const strange of [
      certificate([], ["admin"]),
      certificate(["a", "b"], ["admin"]),
      certificate(["a"], ["admin"], true),
    ]
  ) {
    assert.deepEqual(ownerOf(DEFAULT_POLICY, strange), { user: "ab", isMember: false });
  }
});
