/** Tests of the missing certificates of a server. */
import assert from "node:assert/strict";
import { initDirectory } from "../../certs/init.ts";
import { ensureServing } from "../../certs/serving.ts";
import { refuses, snapshot } from "../support/certs.ts";
import { tempDir } from "../support/temp_dir.ts";

Deno.test("ensureServing() creates everything in an empty directory, and nothing the second time", async () => {
  await using dir = await tempDir();
  const options = { dir: `${dir.path}/certs`, hosts: ["jobs.example.org"] };
  const made = await ensureServing(options);
  assert.deepEqual(made.map(({ name }) => name), ["ca", "server", "admin"]);
  assert.ok(made[1]?.hosts.includes("jobs.example.org"));

  const before = await snapshot(options.dir);
  assert.deepEqual(await ensureServing(options), []);
  assert.deepEqual(await snapshot(options.dir), before);
});

Deno.test("ensureServing() accepts a directory without the authority's key and without clients", async () => {
  await using dir = await directoryWithout("ca.key", "admin.crt", "admin.key");
  assert.deepEqual(await ensureServing({ dir: dir.path }), []);
});

Deno.test("ensureServing() creates the server's pair when only that is missing", async () => {
  await using dir = await directoryWithout("server.crt", "server.key");
  const before = await snapshot(dir.path);
  const made = await ensureServing({ dir: dir.path, hosts: ["192.0.2.7"] });
  assert.deepEqual(made.map(({ name }) => name), ["server"]);
  const { "server.crt": certificate, "server.key": key, ...rest } = await snapshot(dir.path);
  assert.ok(certificate && key);
  assert.deepEqual(rest, before);
});

for (
  const [removed, named] of [
    [["server.crt"], /but not "server\.crt"/],
    [["server.key"], /but not "server\.key"/],
    [["ca.crt"], /but not "ca\.crt"/],
    [["ca.crt", "ca.key"], /but not "ca\.crt"/],
    [["ca.key", "server.crt", "server.key"], /but not "server\.crt", "server\.key"/],
    [["ca.crt", "ca.key", "server.crt", "server.key"], /but not "ca\.crt", "server\.crt", "server\.key"/],
  ] as const
) {
  Deno.test(`ensureServing() refuses to repair a directory without ${removed.join(", ")}`, async () => {
    await using dir = await directoryWithout(...removed);
    const before = await snapshot(dir.path);
    await refuses(() => ensureServing({ dir: dir.path }), "MISSING", named);
    assert.deepEqual(await snapshot(dir.path), before);
  });
}

async function directoryWithout(...names: string[]) {
  const dir = await tempDir();
  await initDirectory({ dir: dir.path });
  for (const name of names) await Deno.remove(`${dir.path}/${name}`);
  return dir;
}
