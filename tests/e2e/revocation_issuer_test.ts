/** Two authorities with the same serial number: a revocation of one does not affect the other. */
import assert from "node:assert/strict";
import { createRevocationList } from "../../certs/revocation_lists.ts";
import { readCertificate } from "../../trust/certificate.ts";
import { ca, issue, type Issued, otherCa } from "../support/certificates.ts";
import { type Server, startServer } from "../support/programs.ts";
import { auditEntries, clientWith, makePlace, replaceFile } from "../support/server_place.ts";

const client = (name: string, issuer: Issued) =>
  issue({ subject: [["O", "admin"], ["CN", name]], usage: "client", issuer, serialNumber: "01" });
const [ann, bob] = [await client("ann", ca), await client("bob", otherCa)];

/** Makes a list of one authority with serial number 01. */
function listOf(authority: Issued): string {
  const { issuer } = readCertificate(new Uint8Array(ann.certificate.rawData));
  const pair = { certificate: authority.cert, key: authority.key, notAfter: authority.certificate.notAfter };
  return createRevocationList([{ issuer, serialNumber: "01", revokedAt: new Date() }], pair, {
    number: 1,
    now: new Date(),
  });
}

async function answer(server: Server, own: Issued): Promise<string> {
  await using calls = clientWith(server, own);
  return await calls.calls.List({}).then(() => "OK", ({ status }) => status);
}

Deno.test("teleportd refuses a revoked serial number of one authority and accepts the same number of another", async () => {
  await using place = await makePlace();
  const { dir } = place;
  await replaceFile(`${dir}/certs/ca.crt`, `${ca.cert}\n${otherCa.cert}\n`);
  await replaceFile(`${dir}/certs/ca.crl`, listOf(ca));
  for (const round of ["at first", "from its memory"]) {
    await using server = await startServer({ dir, initCerts: false, jobHost: "none" });
    assert.deepEqual([await answer(server, ann), await answer(server, bob)], ["UNAUTHENTICATED", "OK"], round);
    assert.equal(await server.stop(), 0);
    if (round === "at first") await Deno.remove(`${dir}/certs/ca.crl`);
  }
  const entries = (await auditEntries(dir)).filter(({ event, user }) => event === "call" && user !== undefined);
  const seen = new Set(entries.map(({ user, serial, issuer }) => `${user} ${serial} ${issuer}`));
  assert.deepEqual(seen, new Set(["ann 01 CN=an authority", "bob 01 CN=another authority"]));
});

Deno.test("teleportd accepts a list of a new authority that names certificates of the old one", async () => {
  await using place = await makePlace();
  const { dir } = place;
  await replaceFile(`${dir}/certs/ca.crt`, `${otherCa.cert}\n${ca.cert}\n`);
  await replaceFile(`${dir}/certs/ca.crl`, listOf(otherCa));
  await using server = await startServer({ dir, initCerts: false, jobHost: "none" });
  assert.deepEqual([await answer(server, ann), await answer(server, bob)], ["UNAUTHENTICATED", "OK"]);
});

Deno.test("teleportd still refuses certificates that an older server stored as revoked without their issuers", async () => {
  await using place = await makePlace();
  const { dir } = place;
  const { fingerprint } = readCertificate(new Uint8Array(ca.certificate.rawData));
  await Deno.mkdir(`${dir}/data`, { mode: 0o700 });
  const old = JSON.stringify({ authorities: [fingerprint], serials: ["01"] });
  await Deno.writeTextFile(`${dir}/data/revoked.json`, `${old}\n`, { mode: 0o600 });
  await using server = await startServer({ dir, initCerts: false, jobHost: "none" });
  await server.says(/^warn "ca\.crl" is missing: 1 certificate that/);
  assert.equal(await answer(server, ann), "UNAUTHENTICATED");
  // The entry has an issuer now, and a later authority has its own serial numbers.
  await replaceFile(`${dir}/certs/ca.crt`, `${ca.cert}\n${otherCa.cert}\n`);
  await server.says(/^info Reloaded the certificates/);
  assert.deepEqual([await answer(server, ann), await answer(server, bob)], ["UNAUTHENTICATED", "OK"]);
});
