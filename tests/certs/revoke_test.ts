/** Tests of revocation and revocation lists, with openssl. */
import assert from "node:assert/strict";
import { initDirectory } from "../../certs/init.ts";
import { firstCertificate, inspectCertificate } from "../../certs/inspect.ts";
import { issueClient } from "../../certs/issue.ts";
import { canonicalSerial } from "../../trust/certificate.ts";
import { readRevocationLists } from "../../certs/revocation_lists.ts";
import { revoke } from "../../certs/revoke.ts";
import { readRevokedCertificates } from "../../certs/server_files.ts";
import { revocationKey } from "../../trust/revocation.ts";
import { openssl, refuses, snapshot, withOpenssl } from "../support/certs.ts";
import { tempDir } from "../support/temp_dir.ts";

async function serialOf(path: string): Promise<string> {
  return (await inspectCertificate(await Deno.readTextFile(path))).serialNumber;
}

for (const keyKind of ["p256", "ed25519"] as const) {
  Deno.test(`revoke() adds a user to the list of a ${keyKind} authority`, async () => {
    await using dir = await tempDir();
    await initDirectory({ dir: dir.path, keyKind });
    await issueClient({ dir: dir.path, name: "ann", roles: ["viewer"] });
    const done = await revoke({ dir: dir.path, name: "ann" });
    const serialNumber = await serialOf(`${dir.path}/ann.crt`);
    const ca = await Deno.readTextFile(`${dir.path}/ca.crt`);
    const { subject } = firstCertificate(ca);
    const path = `${dir.path}/ca.crl`;
    assert.deepEqual(done, { issuer: subject.text, serialNumber, path, already: false, count: 1 });
    assert.deepEqual(
      (await readRevokedCertificates(dir.path, ca))?.keys,
      new Set([revocationKey(subject, serialNumber)]),
    );
    assert.equal((await snapshot(dir.path))["ca.crl"]!.mode, "644");
  });
}

Deno.test("revoke() changes nothing for a revoked certificate", async () => {
  await using dir = await tempDir();
  await initDirectory({ dir: dir.path });
  await revoke({ dir: dir.path, name: "admin" });
  const before = await snapshot(dir.path);
  const again = await revoke({ dir: dir.path, serialNumber: (await serialOf(`${dir.path}/admin.crt`)).toLowerCase() });
  assert.deepEqual([again.already, again.count], [true, 1]);
  assert.deepEqual(await snapshot(dir.path), before);
});

Deno.test("revoke() keeps all entries of concurrent calls", async () => {
  await using dir = await tempDir();
  await initDirectory({ dir: dir.path });
  const serials = Array.from({ length: 8 }, (_, index) => `A${index}`);
  await Promise.all(serials.map((serialNumber) => revoke({ dir: dir.path, serialNumber })));
  const ca = await Deno.readTextFile(`${dir.path}/ca.crt`);
  const { subject } = firstCertificate(ca);
  const wanted = serials.map((serialNumber) => revocationKey(subject, serialNumber));
  assert.deepEqual((await readRevokedCertificates(dir.path, ca))?.keys, new Set(wanted));
});

Deno.test("revoke() accepts a certificate from another directory", async () => {
  await using dir = await tempDir();
  await initDirectory({ dir: dir.path });
  const certificate = await Deno.readTextFile(`${dir.path}/admin.crt`);
  await Deno.remove(`${dir.path}/admin.crt`);
  assert.equal((await revoke({ dir: dir.path, certificate })).already, false);
});

Deno.test("revoke() refuses invalid requests, and changes nothing", async () => {
  await using dir = await tempDir();
  await initDirectory({ dir: dir.path });
  const before = await snapshot(dir.path);
  await refuses(() => revoke({ dir: dir.path }), "INVALID_ARGUMENT", /^Cannot revoke: give/);
  await refuses(() => revoke({ dir: dir.path, name: "ca" }), "INVALID_ARGUMENT", /^Cannot revoke the authority/);
  await refuses(() => revoke({ dir: dir.path, name: "bob" }), "MISSING", /bob\.crt": it does not exist/);
  for (const name of ["../admin", "a/b", ".", ""]) {
    await refuses(() => revoke({ dir: dir.path, name }), "INVALID_ARGUMENT", /^'NAME' must be/);
  }
  for (const serialNumber of ["", "xyz", "1".repeat(129)]) {
    await refuses(() => revoke({ dir: dir.path, serialNumber }), "INVALID_ARGUMENT", /^'--serial' must have/);
  }
  await refuses(() => revoke({ dir: dir.path, certificate: "hello" }), "UNUSABLE", /^Cannot read the certificate/);
  assert.deepEqual(await snapshot(dir.path), before);
});

Deno.test("readRevocationLists() refuses a damaged list, and one of another authority", async () => {
  await using dir = await tempDir();
  await using other = await tempDir();
  for (const { path } of [dir, other]) {
    await initDirectory({ dir: path });
    await revoke({ dir: path, name: "admin" });
  }
  const ca = await Deno.readTextFile(`${dir.path}/ca.crt`);
  const otherCa = await Deno.readTextFile(`${other.path}/ca.crt`);
  const list = await Deno.readTextFile(`${dir.path}/ca.crl`);
  await refuses(() => readRevocationLists(list, otherCa), "UNUSABLE", /not an accepted authority/);
  const ofBoth = list + await Deno.readTextFile(`${other.path}/ca.crl`);
  await refuses(() => readRevocationLists(ofBoth, ca), "UNUSABLE", /not an accepted authority/);
  assert.equal(
    readRevocationLists(ofBoth, otherCa + ca).revoked.length,
    4,
    "two, each for either of two of this tool's",
  );
  const lines = list.split("\n");
  lines[2] = lines[2]!.replace(/[a-z]/, (char) => char === "q" ? "r" : "q");
  for (const damaged of ["", "hello", ca, list.slice(0, 200), list + ca]) {
    await refuses(() => readRevocationLists(damaged, ca), "UNUSABLE", /lists in PEM/);
  }
  await refuses(() => readRevocationLists(lines.join("\n"), ca), "UNUSABLE", /^Cannot use the revocation list/);
});

Deno.test("readRevokedCertificates() distinguishes a missing list from an empty one", async () => {
  await using dir = await tempDir();
  await initDirectory({ dir: dir.path });
  assert.equal(await readRevokedCertificates(dir.path, await Deno.readTextFile(`${dir.path}/ca.crt`)), undefined);
});

Deno.test("canonicalSerial() formats equal numbers equally", () => {
  for (const [given, wanted] of [["0a", "0A"], ["a", "0A"], ["00E9", "E9"], ["0", "00"], ["0100", "0100"]] as const) {
    assert.equal(canonicalSerial(given), wanted);
  }
});

Deno.test(withOpenssl("openssl reads the list, and refuses only the revoked certificate"), async () => {
  await using dir = await tempDir();
  await initDirectory({ dir: dir.path });
  await issueClient({ dir: dir.path, name: "ann", roles: ["viewer"] });
  await revoke({ dir: dir.path, name: "ann" });
  const check = (name: string) =>
    openssl(
      "verify",
      "-crl_check",
      "-CAfile",
      `${dir.path}/ca.crt`,
      "-CRLfile",
      `${dir.path}/ca.crl`,
      `${dir.path}/${name}.crt`,
    );
  assert.match((await check("ann")).text, /certificate revoked/);
  assert.ok((await check("admin")).success);
});

Deno.test(withOpenssl("readRevocationLists() refuses a list without a next update"), async () => {
  await using dir = await tempDir();
  await initDirectory({ dir: dir.path });
  const ca = await Deno.readTextFile(`${dir.path}/ca.crt`);
  // The X.509 package reads such a list as an empty one.
  const { createRevocationList } = await import("../../certs/revocation_lists.ts");
  const { readAuthority } = await import("../../certs/authority.ts");
  const authority = await readAuthority(dir.path);
  const whole = await createRevocationList([], authority, { number: 1, now: new Date() });
  assert.equal((await readRevocationLists(whole, ca)).revoked.length, 0);
  const x509 = await import("@peculiar/x509");
  const { readSigningKey } = await import("../../certs/key_kind.ts");
  const { key, algorithm } = await readSigningKey(authority.key);
  const without = await x509.X509CrlGenerator.create({
    issuer: new x509.X509Certificate(authority.certificate).subjectName,
    thisUpdate: new Date(),
    entries: [{ serialNumber: "0a", revocationDate: new Date() }],
    signingKey: key,
    signingAlgorithm: algorithm as EcdsaParams,
  });
  const pem = x509.PemConverter.encode(without.rawData, "X509 CRL");
  await refuses(() => readRevocationLists(pem, ca), "UNUSABLE", /no nextUpdate/);
});
