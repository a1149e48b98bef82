/** Tests of server and user certificates. */
import assert from "node:assert/strict";
import { createAuthority } from "../../certs/authority.ts";
import { writePairs } from "../../certs/directory.ts";
import { inspectCertificate } from "../../certs/inspect.ts";
import { issueClient, issueServer } from "../../certs/issue.ts";
import { lifetime } from "../../certs/lifetime.ts";
import { namesIn, refuses, snapshot } from "../support/certs.ts";
import { tempDir } from "../support/temp_dir.ts";

async function directoryWithAuthority(days?: number) {
  const dir = await tempDir();
  await writePairs(dir.path, { ca: await createAuthority(lifetime({ kind: "authority", days })) }, { replace: false });
  return dir;
}

Deno.test("issueClient() creates the files of a user, and reports them", async () => {
  await using dir = await directoryWithAuthority();
  const made = await issueClient({ dir: dir.path, name: "ann", roles: ["operator", "viewer"], days: 7 });
  assert.deepEqual(await namesIn(dir.path), ["ann.crt", "ann.key", "ca.crt", "ca.key"]);
  assert.equal((await snapshot(dir.path))["ann.key"]?.mode, "600");
  const details = await inspectCertificate(await Deno.readTextFile(`${dir.path}/ann.crt`));
  assert.deepEqual(details.commonNames, ["ann"]);
  assert.deepEqual(details.organizations, ["operator", "viewer"]);
  assert.deepEqual(details.usages, ["client"]);
  assert.deepEqual(made, {
    usage: "client",
    name: "ann",
    certificatePath: `${dir.path}/ann.crt`,
    keyPath: `${dir.path}/ann.key`,
    hosts: [],
    roles: ["operator", "viewer"],
    notAfter: details.notAfter,
  });
});

Deno.test("issueServer() covers this machine and the given hosts", async () => {
  await using dir = await directoryWithAuthority();
  const made = await issueServer({ dir: dir.path, hosts: ["jobs.example.org", "192.0.2.7"] });
  const details = await inspectCertificate(await Deno.readTextFile(made.certificatePath));
  assert.deepEqual(details.usages, ["server"]);
  assert.deepEqual(details.organizations, []);
  assert.deepEqual(details.hosts, made.hosts);
  for (const host of ["localhost", "127.0.0.1", "::1", "jobs.example.org", "192.0.2.7"]) {
    assert.ok(made.hosts.includes(host), host);
  }
});

for (const existing of ["ann.crt", "ann.key"]) {
  Deno.test(`issueClient() does not change ${existing} unless it replaces`, async () => {
    await using dir = await directoryWithAuthority();
    const ann = { dir: dir.path, name: "ann", roles: ["viewer"] };
    await Deno.writeTextFile(`${dir.path}/${existing}`, "precious");
    const before = await snapshot(dir.path);
    await refuses(
      () => issueClient(ann),
      "ALREADY_EXISTS",
      new RegExp(`"${existing}", and nothing was changed; use --force`),
    );
    assert.deepEqual(await snapshot(dir.path), before);

    await issueClient({ ...ann, replace: true });
    const after = await snapshot(dir.path);
    assert.deepEqual(Object.keys(after).sort(), ["ann.crt", "ann.key", "ca.crt", "ca.key"]);
    assert.match(after["ann.crt"]?.text ?? "", /^-----BEGIN CERTIFICATE-----/);
    assert.match(after["ann.key"]?.text ?? "", /^-----BEGIN PRIVATE KEY-----/);
    assert.deepEqual([after["ca.crt"], after["ca.key"]], [before["ca.crt"], before["ca.key"]]);
  });
}

Deno.test("issueServer() and issueClient() never issue a certificate that ends after the authority", async () => {
  await using dir = await directoryWithAuthority(10);
  const { notAfter } = await inspectCertificate(await Deno.readTextFile(`${dir.path}/ca.crt`));
  assert.deepEqual((await issueServer({ dir: dir.path })).notAfter, notAfter);
  const ann = { dir: dir.path, name: "ann", roles: ["viewer"] };
  await refuses(() => issueClient({ ...ann, days: 11 }), "INVALID_ARGUMENT", /the authority ends on/);
  assert.deepEqual((await issueClient(ann)).notAfter, notAfter);
});

Deno.test("issueClient() refuses bad names, roles and days, and writes nothing", async () => {
  await using dir = await directoryWithAuthority();
  const ann = { dir: dir.path, name: "ann", roles: ["viewer"] };
  for (
    const [change, sentence] of [
      [{ name: "../ann" }, /^The user name must/],
      [{ name: "ca" }, /^The user name must/],
      [{ name: "server", replace: true }, /^The user name must/],
      [{ roles: [] }, /it has no role/],
      [{ roles: ["a/b"] }, /^The role must/],
      [{ days: 3651 }, /^'--days' must/],
    ] as const
  ) {
    await refuses(() => issueClient({ ...ann, ...change }), "INVALID_ARGUMENT", sentence);
  }
  assert.deepEqual(await namesIn(dir.path), ["ca.crt", "ca.key"]);
});

Deno.test("issueClient() creates nothing without an authority", async () => {
  await using dir = await tempDir();
  const work = () => issueClient({ dir: `${dir.path}/none`, name: "ann", roles: ["viewer"] });
  await refuses(work, "MISSING", /run "certs init" first/);
  assert.deepEqual(await namesIn(dir.path), []);
});
