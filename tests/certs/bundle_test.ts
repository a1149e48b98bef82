/** makeBundle() and writeBundle(): the parts of a bundle, its address, and what is refused. */
import assert from "node:assert/strict";
import { makeBundle, writeBundle } from "../../certs/bundle.ts";
import { initDirectory } from "../../certs/init.ts";
import { issueClient } from "../../certs/issue.ts";
import { refuses } from "../support/certs.ts";
import { tempDir } from "../support/temp_dir.ts";

Deno.test("makeBundle() takes the address from the certificate of the server", async () => {
  await using temporary = await tempDir();
  const dir = `${temporary.path}/certs`;
  await initDirectory({ dir, hosts: ["jobs.example.org", "*.example.com"] });
  await issueClient({ dir, name: "ann", roles: ["viewer"] });
  const own = await makeBundle({ dir, name: "ann" });
  // The name of this machine can come first.
  assert.match(own.address, /^[^\s:]+:50051$/);
  assert.ok(!/^(localhost|127\.)/.test(own.address), own.address);
  assert.equal(own.warning, undefined);
  for (const part of ["version = 1\n", 'identity = "ann"\n', "-----BEGIN PRIVATE KEY-----"]) {
    assert.ok(own.text.includes(part), part);
  }
  assert.equal((await makeBundle({ dir, name: "ann", address: "a.example.com:1" })).warning, undefined);
  const other = await makeBundle({ dir, name: "ann", address: "elsewhere.org:1" });
  assert.match(other.warning!, /^The server's certificate is not for "elsewhere\.org", so clients will refuse it: /);
});

Deno.test("makeBundle() refuses what cannot make a bundle", async () => {
  await using temporary = await tempDir();
  const dir = `${temporary.path}/certs`;
  await initDirectory({ dir });
  await issueClient({ dir, name: "ann", roles: ["viewer"] });
  await issueClient({ dir, name: "bob", roles: ["viewer"] });
  await refuses(() => makeBundle({ dir, name: "eva", address: "a:1" }), "MISSING", /eva\.crt/);
  await refuses(() => makeBundle({ dir, name: "../ann", address: "a:1" }), "INVALID_ARGUMENT", /user name/);
  await refuses(() => makeBundle({ dir, name: "server", address: "a:1" }), "INVALID_ARGUMENT", /user name/);
  await refuses(
    () => makeBundle({ dir, name: "ann", address: "a" }),
    "INVALID_ARGUMENT",
    /'--address' must be HOST:PORT/,
  );
  await Deno.copyFile(`${dir}/bob.key`, `${dir}/ann.key`);
  await refuses(() => makeBundle({ dir, name: "ann", address: "a:1" }), "UNUSABLE", /the key of another certificate/);
  await Deno.remove(`${dir}/ann.key`);
  await refuses(
    () => makeBundle({ dir, name: "ann", address: "a:1" }),
    "MISSING",
    /the directory does not have "ann\.key"/,
  );
});

Deno.test("writeBundle() writes for this user only, and replaces only when it may", async () => {
  await using temporary = await tempDir();
  const path = `${temporary.path}/ann.bundle`;
  await writeBundle(path, "one", { replace: false });
  assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
  await refuses(() => writeBundle(path, "two", { replace: false }), "ALREADY_EXISTS", /use --force to replace it/);
  await writeBundle(path, "three", { replace: true });
  assert.equal(await Deno.readTextFile(path), "three");
  await refuses(() => writeBundle(`${path}/x`, "", { replace: false }), "NOT_ACCESSIBLE", /Cannot write ".*\/x": /);
  assert.deepEqual((await Array.fromAsync(Deno.readDir(temporary.path))).map(({ name }) => name), ["ann.bundle"]);
});
