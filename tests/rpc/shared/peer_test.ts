/** Tests of rpc/shared/peer.ts, also with names that are made to deceive. */
import assert from "node:assert/strict";
import { readCertificate } from "../../../rpc/shared/peer.ts";
import { ca, issue } from "../../support/certificates.ts";

async function read(subject: [string, string][], more: { serialNumber?: string } = {}) {
  const { certificate } = await issue({ subject, usage: "client", issuer: ca, ...more });
  return { read: readCertificate(new Uint8Array(certificate.rawData)), certificate };
}

Deno.test("readCertificate() returns user and roles in order", async () => {
  const { read: { commonNames, organizations, isAuthority } } = await read([["O", "b"], ["CN", "ann"], ["O", "a"]]);
  assert.deepEqual(commonNames, ["ann"]);
  assert.deepEqual(organizations, ["b", "a"]);
  assert.equal(isAuthority, false);
});

Deno.test("readCertificate() returns all common names, or none", async () => {
  assert.deepEqual((await read([["CN", "ann"], ["CN", "bob"]])).read.commonNames, ["ann", "bob"]);
  const { read: { commonNames, organizations } } = await read([["OU", "x"]]);
  assert.deepEqual([commonNames, organizations], [[], []]);
});

Deno.test("readCertificate() does not split a name", async () => {
  const names = [
    "bob\nO=admin",
    "bob, O=admin",
    "bob + O=admin",
    "bob/O=admin",
    'bob"\\,O=admin',
    "bob\0",
    " bob ",
    "é\u202e",
  ];
  for (const name of names) {
    const { read: { commonNames, organizations } } = await read([["CN", name]]);
    assert.deepEqual(commonNames, [name]);
    assert.deepEqual(organizations, []);
  }
});

Deno.test("readCertificate() returns a thousand roles", async () => {
  const roles = Array.from({ length: 1_000 }, (_, index) => `role-${index}`);
  const { read: { organizations } } = await read([...roles.map((role): [string, string] => ["O", role]), ["CN", "a"]]);
  assert.deepEqual(organizations, roles);
});

Deno.test("readCertificate() recognises an authority", () => {
  assert.equal(readCertificate(new Uint8Array(ca.certificate.rawData)).isAuthority, true);
});

Deno.test("readCertificate() returns serial number, fingerprint and end of validity", async () => {
  const { read: { serialNumber, fingerprint, notAfter }, certificate } = await read([["CN", "a"]], {
    serialNumber: "0a0b",
  });
  assert.equal(serialNumber, "0A0B");
  const digest = await crypto.subtle.digest("SHA-256", certificate.rawData);
  assert.equal(fingerprint, new Uint8Array(digest).toHex());
  assert.equal(notAfter.getTime(), certificate.notAfter.getTime());
});
