/** Tests of new certificate directories. */
import assert from "node:assert/strict";
import { initDirectory } from "../../certs/init.ts";
import { inspectCertificate } from "../../certs/inspect.ts";
import { namesIn, openssl, refuses, snapshot, withOpenssl } from "../support/certs.ts";
import { tempDir } from "../support/temp_dir.ts";

const now = new Date("2026-01-01T12:00:00Z");
const FILES = ["admin.crt", "admin.key", "ca.crt", "ca.key", "server.crt", "server.key"];

Deno.test("initDirectory() creates authority, server and admin, and reports them", async () => {
  await using dir = await tempDir();
  const target = `${dir.path}/certs`;
  const made = await initDirectory({ dir: target, hosts: ["192.0.2.7", "Jobs.example.org", "localhost"], now });

  assert.deepEqual(await namesIn(target), FILES);
  assert.deepEqual(made.map(({ usage, name, roles }) => [usage, name, roles]), [
    ["authority", "ca", []],
    ["server", "server", []],
    ["client", "admin", ["admin"]],
  ]);
  for (const { certificatePath, keyPath, hosts, roles, notAfter } of made) {
    const details = await inspectCertificate(await Deno.readTextFile(certificatePath));
    assert.deepEqual(details.notAfter, notAfter);
    assert.deepEqual(details.organizations, roles);
    assert.deepEqual(details.hosts, hosts);
    assert.match(await Deno.readTextFile(keyPath!), /^-----BEGIN PRIVATE KEY-----\n/);
  }
  const hosts = made[1]?.hosts ?? [];
  assert.deepEqual(hosts.slice(0, 3), ["localhost", "127.0.0.1", "::1"]);
  assert.deepEqual(hosts.slice(-2), ["192.0.2.7", "jobs.example.org"]);
  assert.deepEqual(made.map(({ notAfter }) => notAfter.toISOString().slice(0, 10)), [
    "2035-12-30",
    "2027-01-01",
    "2026-04-01",
  ]);
});

Deno.test("initDirectory() applies the days to server and admin, not to the authority", async () => {
  await using dir = await tempDir();
  const made = await initDirectory({ dir: dir.path, days: 2, now });
  assert.deepEqual(made.map(({ notAfter }) => notAfter.toISOString().slice(0, 10)), [
    "2035-12-30",
    "2026-01-03",
    "2026-01-03",
  ]);
});

Deno.test("initDirectory() does not change other files of the directory", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(`${dir.path}/policy.json`, "{}");
  await initDirectory({ dir: dir.path });
  assert.deepEqual(await namesIn(dir.path), [...FILES, "policy.json"].sort());
});

for (const name of [...FILES, "ann.crt"]) {
  Deno.test(`initDirectory() changes nothing when ${name} exists`, async () => {
    await using dir = await tempDir();
    await Deno.writeTextFile(`${dir.path}/${name}`, "precious");
    const before = await snapshot(dir.path);
    await refuses(() => initDirectory({ dir: dir.path }), "ALREADY_EXISTS", new RegExp(`already has "${name}"`));
    assert.deepEqual(await snapshot(dir.path), before);
  });
}

Deno.test("initDirectory() creates nothing for an invalid host or number of days", async () => {
  await using dir = await tempDir();
  const target = `${dir.path}/certs`;
  await refuses(
    () => initDirectory({ dir: target, hosts: ["a b"] }),
    "INVALID_ARGUMENT",
    /^'--host' must be .*, got "a b"$/,
  );
  await refuses(
    () => initDirectory({ dir: target, days: 0 }),
    "INVALID_ARGUMENT",
    /^'--days' must be an integer from 1 to 3650, got 0$/,
  );
  assert.deepEqual(await namesIn(dir.path), []);
});

Deno.test("initDirectory() lets one of two concurrent calls succeed", async () => {
  await using dir = await tempDir();
  const target = `${dir.path}/certs`;
  const [first, second] = await Promise.allSettled([initDirectory({ dir: target }), initDirectory({ dir: target })]);
  assert.deepEqual([first.status, second.status].sort(), ["fulfilled", "rejected"]);
  const refusal = first.status === "rejected" ? first.reason : second.status === "rejected" ? second.reason : undefined;
  await refuses(() => Promise.reject(refusal), "ALREADY_EXISTS", /already has "ca\.key"/);
  assert.deepEqual(await namesIn(target), FILES);
});

Deno.test(withOpenssl("openssl accepts server and admin of a new directory, each with its key"), async () => {
  await using dir = await tempDir();
  await initDirectory({ dir: dir.path });
  for (const [name, purpose] of [["server", "sslserver"], ["admin", "sslclient"]] as const) {
    const path = `${dir.path}/${name}`;
    const verified = await openssl("verify", "-CAfile", `${dir.path}/ca.crt`, "-purpose", purpose, `${path}.crt`);
    assert.ok(verified.success, verified.text);
    const ofCertificate = await openssl("x509", "-in", `${path}.crt`, "-noout", "-pubkey");
    const ofKey = await openssl("pkey", "-in", `${path}.key`, "-pubout");
    assert.ok(ofKey.success, ofKey.text);
    assert.equal(ofKey.text, ofCertificate.text);
  }
  for (const host of ["-verify_hostname=localhost", "-verify_ip=127.0.0.1", "-verify_ip=::1"]) {
    const { text } = await openssl(
      ...["verify", "-CAfile", `${dir.path}/ca.crt`, ...host.split("="), `${dir.path}/server.crt`],
    );
    assert.match(text, /OK/, host);
  }
});
