/** What a certificate stands for in the limits of connections. */
import assert from "node:assert/strict";
import type { PeerCertificate } from "../../../proto/service.ts";
import { DEFAULT_POLICY } from "../../../service/policy/default.ts";
import { standingOf } from "../../../service/policy/standing.ts";

function certificate(user: string[], roles: string[], isAuthority = false): PeerCertificate {
  const rest = { serialNumber: "01", fingerprint: "ab", issuer: "", notAfter: new Date("2030-01-01") };
  return { commonNames: user, organizations: roles, isAuthority, ...rest };
}

Deno.test("standingOf() tells users with a role from those without", () => {
  assert.deepEqual(standingOf(DEFAULT_POLICY, certificate(["ann"], ["viewer"])), { user: "ann", isMember: true });
  assert.deepEqual(standingOf(DEFAULT_POLICY, certificate(["ann"], ["x", "admin"])), { user: "ann", isMember: true });
  assert.deepEqual(standingOf(DEFAULT_POLICY, certificate(["eve"], [])), { user: "eve", isMember: false });
  assert.deepEqual(standingOf(DEFAULT_POLICY, certificate(["eve"], ["Admin"])), { user: "eve", isMember: false });
});

Deno.test("standingOf() takes a certificate that names no user for one of its own, without a role", () => {
  for (
    const strange of [
      certificate([], ["admin"]),
      certificate(["a", "b"], ["admin"]),
      certificate(["a"], ["admin"], true),
    ]
  ) {
    assert.deepEqual(standingOf(DEFAULT_POLICY, strange), { user: "ab", isMember: false });
  }
});
