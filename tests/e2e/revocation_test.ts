/** A revoked user loses all access at once, and permanently. */
import assert from "node:assert/strict";
import type { Issued } from "../support/certificates.ts";
import { deadline } from "../support/deadline.ts";
import { listOf, listUntil, user } from "../support/identity_certificates.ts";
import { certs, type Server, startServer, teleportd } from "../support/programs.ts";
import { clientWith, makePlace, replaceFile } from "../support/server_place.ts";
import { clientOf, refusal, startUp } from "../support/server_process.ts";

Deno.test("teleportd ends the streams of a revoked user when the list changes, and the user's jobs continue", async () => {
  await using place = await makePlace();
  const { dir } = place;
  const [ann, bob] = [await user("ann", "operator"), await user("bob", "admin")];
  await using server = await startServer({ dir, initCerts: false, jobHost: "none" });
  await using annClient = clientWith(server, ann);
  await using bobClient = clientWith(server, bob);
  const id = await startUp(annClient.calls, "echo up; sleep 1000");
  const statuses = annClient.calls.StatusStream({ id })[Symbol.asyncIterator]();
  await statuses.next();
  const cut = refusal(statuses.next());
  const bobs = bobClient.calls.StatusStream({ id })[Symbol.asyncIterator]();
  assert.equal((await bobs.next()).value?.state, "STATE_RUNNING");
  await replaceFile(`${dir}/certs/ca.crl`, await listOf(ann));
  // The change of the file is all that happens. The server has no timer that would read the list later.
  const { status, message } = await deadline(cut, "the end of the stream");
  assert.deepEqual([status, message], ["UNAUTHENTICATED", "The certificate was revoked: ask for a new one"]);
  await using again = clientWith(server, ann);
  assert.equal((await refusal(again.calls.List({}))).status, "UNAUTHENTICATED");
  assert.equal((await bobClient.calls.Status({ id })).state, "STATE_RUNNING");
  const last = bobs.next();
  await bobClient.calls.Stop({ id, grace_ms: 0 });
  assert.equal((await last).done, false);
  await bobs.return?.();
  // A list with another signature, or a missing list, gives nobody access again.
  await replaceFile(`${dir}/certs/ca.crl`, "hello");
  await server.says(/^error Cannot reload the list of revoked certificates, .*it must have 1 to 16 lists in PEM/);
  await Deno.remove(`${dir}/certs/ca.crl`);
  await server.says(/^error Cannot reload the list of revoked certificates, .*"ca\.crl" is missing/);
  assert.equal((await refusal(again.calls.List({}))).status, "UNAUTHENTICATED");
});

Deno.test("a revoked user stays refused when the list is missing, older or from a backup", async () => {
  await using place = await makePlace();
  const { dir } = place;
  const [ann, bob, eve] = [await user("ann", "admin"), await user("bob", "admin"), await user("eve", "admin")];
  const answers = async (server: Server, own: Issued) => {
    await using client = clientWith(server, own);
    return await client.calls.List({}).then(() => "OK", ({ status }) => status);
  };
  const crl = `${dir}/certs/ca.crl`;
  await replaceFile(crl, await listOf(ann));
  {
    await using server = await startServer({ dir, initCerts: false, jobHost: "none" });
    await replaceFile(crl, await listOf(ann, bob));
    await server.says(/^info Reloaded the list of revoked certificates/);
    // As from a backup: the last entry is missing, and another is there.
    await replaceFile(crl, await listOf(ann, eve));
    await server.says(/^warn "ca\.crl" is not the latest list: 1 certificate .* stays revoked; restore/);
    for (const own of [ann, bob, eve]) assert.equal(await answers(server, own), "UNAUTHENTICATED");
  }
  await Deno.remove(crl);
  const args = ["--certs", `${dir}/certs`, "--data", `${dir}/data`];
  {
    await using server = await startServer({ dir, initCerts: false, jobHost: "none" });
    await server.says(/^warn "ca\.crl" is missing: 3 certificates .* stay revoked; restore/);
    for (const own of [ann, bob, eve]) assert.equal(await answers(server, own), "UNAUTHENTICATED");
    assert.equal(await answers(server, await user("cyd", "admin")), "OK");
    await replaceFile(crl, await listOf(ann, bob, eve));
    server.process.kill("SIGHUP");
    assert.equal(await server.stop(), 0);
  }
  const checked = await teleportd("--check-config", ...args);
  assert.deepEqual([checked.code, checked.stderr.includes("can be used, 3 are revoked")], [0, true], checked.stderr);
  assert.equal(/ca\.crl/.test(checked.stderr), false);
  await replaceFile(crl, await listUntil(new Date("2026-01-02"), ann, bob, eve));
  const stale = await teleportd("--check-config", ...args);
  assert.equal(stale.code, 0);
  assert.match(
    stale.stderr,
    / warn "ca\.crl" is out of date since 2026-01-02 but stays in force/m,
  );
  await Deno.writeTextFile(`${dir}/data/revoked.json`, "{");
  for (const more of [[], ["--check-config"]]) {
    const { code, stderr } = await teleportd(...args, "--listen", "127.0.0.1:0", ...more);
    assert.equal(code, 1);
    assert.match(stderr, / error Cannot use ".*revoked\.json", .*: it is damaged; restore it, or remove it once/);
  }
});

Deno.test("teleportd refuses a certificate that certs.ts revoked, and accepts the renewed one", async () => {
  const dir = await Deno.makeTempDir({ prefix: "teleport_identity_" });
  await using _ = { [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }) };
  const tool = (...args: string[]) => certs(...args, "--dir", `${dir}/certs`);
  await tool("init");
  await tool("client", "ann", "--role", "operator");
  await using server = await startServer({ dir, initCerts: false, jobHost: "none" });
  await using before = await clientOf(server, "ann");
  const id = await startUp(before.calls, "echo up; sleep 1000");
  const statuses = before.calls.StatusStream({ id })[Symbol.asyncIterator]();
  await statuses.next();
  const cut = refusal(statuses.next());
  await tool("revoke", "ann");
  assert.equal((await cut).status, "UNAUTHENTICATED");
  await tool("client", "ann", "--role", "operator", "--force");
  await using after = await clientOf(server, "ann");
  assert.equal((await after.calls.Status({ id })).state, "STATE_RUNNING");
  assert.equal((await refusal(before.calls.Status({ id }))).status, "UNAUTHENTICATED");
});
