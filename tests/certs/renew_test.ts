/** Tests of the renewal of certificates and authorities. */
import { splitCertificates } from "../../trust/pem.ts";
import assert from "node:assert/strict";
import { initDirectory } from "../../certs/init.ts";
import { firstCertificate, inspectCertificate, isSignedBy } from "../../certs/inspect.ts";
import { issueClient } from "../../certs/issue.ts";
import { listCertificates, showCertificate } from "../../certs/list.ts";
import { finishAuthority, renew, renewAuthority } from "../../certs/renew.ts";
import { revoke } from "../../certs/revoke.ts";
import { readRevokedCertificates } from "../../certs/server_files.ts";
import { revocationKey } from "../../trust/revocation.ts";
import { openssl, refuses, snapshot, withOpenssl } from "../support/certs.ts";
import { tempDir } from "../support/temp_dir.ts";

const DAY_MS = 86_400_000;

Deno.test("renew() keeps the contents, with a new key, serial number and end", async () => {
  await using dir = await tempDir();
  await initDirectory({ dir: dir.path, hosts: ["jobs.example.org"] });
  await issueClient({ dir: dir.path, name: "ann", roles: ["viewer", "operator"] });
  const later = new Date(Date.now() + 10 * DAY_MS);
  for (const name of ["ann", "server"]) {
    const before = await inspectCertificate(await Deno.readTextFile(`${dir.path}/${name}.crt`));
    const key = await Deno.readTextFile(`${dir.path}/${name}.key`);
    const made = await renew({ dir: dir.path, name, now: later });
    const after = await inspectCertificate(await Deno.readTextFile(`${dir.path}/${name}.crt`));
    for (const field of ["commonNames", "organizations", "hosts", "usages"] as const) {
      assert.deepEqual(after[field], before[field], `${field} of ${name}`);
    }
    assert.notEqual(after.serialNumber, before.serialNumber);
    assert.notEqual(await Deno.readTextFile(`${dir.path}/${name}.key`), key);
    assert.equal(after.notAfter.getTime() - before.notAfter.getTime() >= 10 * DAY_MS - 2_000, true);
    assert.equal(made.keyPath, `${dir.path}/${name}.key`);
    assert.equal((await snapshot(dir.path))[`${name}.key`]!.mode, "600");
  }
});

Deno.test("renew() refuses other names, and changes nothing", async () => {
  await using dir = await tempDir();
  await initDirectory({ dir: dir.path });
  const before = await snapshot(dir.path);
  await refuses(() => renew({ dir: dir.path, name: "bob" }), "MISSING", /bob\.crt": it does not exist/);
  await refuses(
    () => renew({ dir: dir.path, name: "ca" }),
    "UNUSABLE",
    /not a user certificate or a server certificate/,
  );
  for (const name of ["../x", "", "."]) {
    await refuses(() => renew({ dir: dir.path, name }), "INVALID_ARGUMENT", /^'NAME' must be/);
  }
  assert.deepEqual(await snapshot(dir.path), before);
});

Deno.test("renew() refuses a revoked certificate, and names the command to admit it", async () => {
  await using dir = await tempDir();
  const { path } = dir;
  await initDirectory({ dir: path });
  await issueClient({ dir: path, name: "ann", roles: ["viewer"] });
  for (const name of ["ann", "server"]) await revoke({ dir: path, name });
  const before = await snapshot(path);
  await refuses(
    () => renew({ dir: path, name: "ann" }),
    "UNUSABLE",
    /is revoked; .* "certs client ann --role ROLE --force"/,
  );
  await refuses(() => renew({ dir: path, name: "server" }), "UNUSABLE", /is revoked; .* "certs server --force"/);
  assert.deepEqual(await snapshot(path), before);
  // The revocation of another certificate does not matter, and the named command works.
  await renew({ dir: path, name: "admin" });
  await issueClient({ dir: path, name: "ann", roles: ["viewer"], replace: true });
  await renew({ dir: path, name: "ann" });
});

Deno.test("renew() renews an ended certificate, and needs a valid revocation list", async () => {
  await using dir = await tempDir();
  const { path } = dir;
  await initDirectory({ dir: path });
  const now = new Date(Date.now() + 200 * DAY_MS);
  const before = await inspectCertificate(await Deno.readTextFile(`${path}/admin.crt`));
  assert.ok(before.notAfter < now);
  const { notAfter } = await renew({ dir: path, name: "admin", now });
  assert.ok(notAfter > now);
  await Deno.writeTextFile(`${path}/ca.crl`, "hello");
  await refuses(() => renew({ dir: path, name: "admin" }), "UNUSABLE", /^Cannot use the revocation list/);
});

Deno.test("renewAuthority() and finishAuthority() change the authority and keep revocations", async () => {
  await using dir = await tempDir();
  const { path } = dir;
  await initDirectory({ dir: path });
  await issueClient({ dir: path, name: "ann", roles: ["viewer"] });
  const { serialNumber } = await revoke({ dir: path, name: "ann" });
  const oldCa = await Deno.readTextFile(`${path}/ca.crt`);
  const revokedKeys = new Set([revocationKey(firstCertificate(oldCa).subject, serialNumber)]);

  await renewAuthority({ dir: path });
  const both = await Deno.readTextFile(`${path}/ca.crt`);
  assert.equal(splitCertificates(both).length, 2);
  assert.equal(splitCertificates(both)[1], oldCa.trim());
  const before = await snapshot(path);
  await refuses(
    () => finishAuthority(path),
    "UNUSABLE",
    /signed ".*server\.crt"; run "certs renew server"/,
  );
  assert.deepEqual(await snapshot(path), before);
  await renew({ dir: path, name: "server" });
  const newServer = await Deno.readTextFile(`${path}/server.crt`);
  assert.equal(await isSignedBy(newServer, oldCa), false);
  assert.equal(await isSignedBy(newServer, both), true);
  assert.equal(await isSignedBy(await Deno.readTextFile(`${path}/admin.crt`), both), true);
  await refuses(() => renewAuthority({ dir: path }), "ALREADY_EXISTS", /already has two/);
  // A program that still has only the old authority sees the same.
  assert.deepEqual((await readRevokedCertificates(path, both))?.keys, revokedKeys);

  await finishAuthority(path);
  const alone = await Deno.readTextFile(`${path}/ca.crt`);
  assert.deepEqual(splitCertificates(alone), [splitCertificates(both)[0]]);
  assert.deepEqual((await readRevokedCertificates(path, alone))?.keys, revokedKeys);
  const standing = Object.fromEntries((await listCertificates(path)).map(({ name, standing }) => [name, standing]));
  assert.deepEqual(standing, { ca: "valid", admin: "foreign", ann: "revoked", server: "valid" });
  assert.equal((await snapshot(path))["ca.key"]!.mode, "600");
});

Deno.test("listCertificates() returns the state of each certificate", async () => {
  await using dir = await tempDir();
  const { path } = dir;
  await initDirectory({ dir: path });
  const now = new Date();
  await issueClient({ dir: path, name: "short", roles: ["viewer"], days: 10 });
  await issueClient({ dir: path, name: "early", roles: ["viewer"], now: new Date(now.getTime() + 5 * DAY_MS) });
  await Deno.writeTextFile(`${path}/broken.crt`, "hello");
  const at = async (days: number) =>
    Object.fromEntries(
      (await listCertificates(path, new Date(now.getTime() + days * DAY_MS))).map((
        { name, standing },
      ) => [name, standing]),
    );
  const today = { ca: "valid", admin: "valid", broken: "unreadable", early: "not yet valid", server: "valid" };
  assert.deepEqual(await at(0), { ...today, short: "valid" });
  assert.deepEqual(await at(7), { ...today, early: "valid", short: "expiring" });
  assert.deepEqual(await at(11), { ...today, early: "valid", short: "ended" });
  assert.equal((await at(61))["admin"], "expiring");
  assert.equal((await at(59))["admin"], "valid");
});

Deno.test("showCertificate() finds a certificate by name and by path, and refuses other files", async () => {
  await using dir = await tempDir();
  await initDirectory({ dir: dir.path });
  const [byName] = await showCertificate(dir.path, "admin");
  const [byPath] = await showCertificate(dir.path, `${dir.path}/admin.crt`);
  assert.deepEqual(byName?.details, byPath?.details);
  assert.deepEqual(byName?.details?.commonNames, ["admin"]);
  await refuses(() => showCertificate(dir.path, `${dir.path}/admin.key`), "UNUSABLE", /has no certificate/);
  await refuses(() => showCertificate(dir.path, "bob"), "MISSING", /bob/);
});

Deno.test(withOpenssl("issueClient() and renew() use the key of a request"), async () => {
  await using dir = await tempDir();
  await using elsewhere = await tempDir();
  await initDirectory({ dir: dir.path });
  for (const [name, kind] of [["eva", "ed25519"], ["rob", "rsa:2048"]] as const) {
    const [key, file] = [`${elsewhere.path}/${name}.key`, `${elsewhere.path}/${name}.csr`];
    const made = await openssl(
      "req",
      "-new",
      "-newkey",
      kind,
      "-nodes",
      "-keyout",
      key,
      "-subj",
      "/CN=root/O=admin",
      "-out",
      file,
    );
    assert.ok(made.success, made.text);
    const request = await Deno.readTextFile(file);
    const { keyPath } = await issueClient({ dir: dir.path, name, roles: ["viewer"], request });
    assert.equal(keyPath, undefined);
    const publicKey = async () => (await openssl("x509", "-in", `${dir.path}/${name}.crt`, "-noout", "-pubkey")).text;
    assert.equal(await publicKey(), (await openssl("pkey", "-in", key, "-pubout")).text);
    // The subject of the request is ignored.
    const { commonNames, organizations } = await inspectCertificate(
      await Deno.readTextFile(`${dir.path}/${name}.crt`),
    );
    assert.deepEqual([commonNames, organizations], [[name], ["viewer"]]);
    const before = await publicKey();
    assert.equal((await renew({ dir: dir.path, name })).keyPath, undefined);
    assert.equal(await publicKey(), before);
    assert.ok((await openssl("verify", "-CAfile", `${dir.path}/ca.crt`, `${dir.path}/${name}.crt`)).success);
  }
});

Deno.test(withOpenssl("issueClient() refuses a forged or weak request, and other texts"), async () => {
  await using dir = await tempDir();
  await initDirectory({ dir: dir.path });
  const client = (request: string) => issueClient({ dir: dir.path, name: "eva", roles: ["viewer"], request });
  const key = `${dir.path}/x.pem`;
  const weak = await openssl("req", "-new", "-newkey", "rsa:1024", "-nodes", "-keyout", key, "-subj", "/CN=a");
  const pem = /-----BEGIN[^]*REQUEST-----/.exec(weak.text)?.[0] ?? "";
  await refuses(() => client(pem), "UNUSABLE", /RSA key of 1024 bits/);
  const good = await openssl("req", "-new", "-newkey", "ed25519", "-nodes", "-keyout", key, "-subj", "/CN=abcdefgh");
  const goodPem = /-----BEGIN[^]*REQUEST-----/.exec(good.text)?.[0] ?? "";
  const der = Uint8Array.fromBase64(goodPem.replace(/-----.*-----/g, "").replaceAll("\n", ""));
  der[der.indexOf("a".charCodeAt(0), 10)] = "z".charCodeAt(0);
  const at = new TextDecoder("latin1").decode(der).indexOf("bcdefgh");
  der[at] = "z".charCodeAt(0);
  const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toBase64()}\n-----END CERTIFICATE REQUEST-----\n`;
  await refuses(() => client(forged), "UNUSABLE", /key did not sign it|is damaged/);
  for (const text of ["", "hello", "x".repeat(70_000)]) {
    await refuses(() => client(text), "UNUSABLE", /^Cannot use the certificate signing request/);
  }
  assert.equal((await snapshot(dir.path))["eva.crt"], undefined);
});
