/** The reload of authorities, certificates and policy, on a change and on SIGHUP. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { connect as connectTls } from "node:tls";
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import { connect, type RpcClient } from "../../rpc/client/client.ts";
import { ca, issue, type Issued, otherCa } from "../support/certificates.ts";
import { user } from "../support/identity_certificates.ts";
import { certs, type Server, startServer, teleportd } from "../support/programs.ts";
import { clientWith, makePlace, replaceFile } from "../support/server_place.ts";
import { clientOf, refusal, startUp } from "../support/server_process.ts";

/** A stream that has begun. */
async function watching(client: RpcClient, id: string): Promise<AsyncIterator<JobStatus>> {
  const stream = client.calls.StatusStream({ id })[Symbol.asyncIterator]();
  assert.equal((await stream.next()).done, false);
  return stream;
}

Deno.test("teleportd changes its authority under 50 open streams", async () => {
  const dir = await Deno.makeTempDir({ prefix: "teleport_identity_" });
  await using _ = { [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }) };
  const tool = (...args: string[]) => certs(...args, "--dir", `${dir}/certs`);
  await tool("init");
  await tool("client", "ann", "--role", "operator");
  await using server = await startServer({ dir, initCerts: false, jobHost: "none" });
  // This client keeps its certificates, whatever happens to the files.
  await using old = await clientOf(server);
  const oldOnce = async () => {
    await using client = connect({ address: server.address, credentials: oldCredentials });
    return await client.calls.List({}).then(() => "OK", ({ status }) => status);
  };
  const read = (name: string) => Deno.readTextFile(`${dir}/certs/${name}`);
  const adminBefore = { cert: await read("admin.crt"), key: await read("admin.key") };
  const newOnce = async () => {
    await using client = await clientOf(server, "ann");
    return await client.calls.List({}).then(() => "OK", ({ status }) => status);
  };
  const id = await startUp(old.calls, "echo up; sleep 1000");
  const streams = await Promise.all(Array.from({ length: 50 }, () => watching(old, id)));
  const nexts = streams.map((stream) => stream.next());
  const settled = Promise.race(nexts).then(() => "cut", () => "cut");

  await tool("renew", "ca");
  await server.says(/^info Reloaded the certificates/);
  const oldCredentials = { ca: await read("ca.crt"), ...adminBefore };
  await tool("client", "ann", "--role", "operator", "--force");
  assert.deepEqual([await oldOnce(), await newOnce()], ["OK", "OK"]);
  await tool("renew", "server");
  await tool("renew", "ca", "--finish");
  // The last change may not be in force yet.
  while (await newOnce() !== "OK" || await oldOnce() === "OK");
  assert.deepEqual([await oldOnce(), await newOnce()], ["UNAVAILABLE", "OK"]);
  assert.equal(await Promise.race([settled, Promise.resolve("alive")]), "alive");
  // The old connection makes no new calls, and its streams still receive the end.
  assert.equal((await refusal(old.calls.List({}))).status, "UNAUTHENTICATED");
  await tool("renew", "admin");
  await using admin = await clientOf(server);
  await admin.calls.Stop({ id, grace_ms: 0 });
  for (const { done } of await Promise.all(nexts)) assert.equal(done, false);
  await Promise.all(streams.map((stream) => stream.return?.()));
});

Deno.test("teleportd reloads a policy when it changes and on SIGHUP, and refuses a broken one", async () => {
  await using place = await makePlace();
  const { dir } = place;
  const policy = (calls: string[]) => JSON.stringify({ roles: { builder: [{ calls, jobs: "own" }] } });
  await replaceFile(`${dir}/policy.json`, policy(["read"]));
  await using server = await startServer({
    dir,
    initCerts: false,
    jobHost: "none",
    args: ["--policy", `${dir}/policy.json`],
  });
  await using ann = clientWith(server, await user("ann", "builder"));
  const register = () => ann.calls.Register({ command: "true" }).then(() => "OK", ({ status }) => status);
  assert.equal(await register(), "PERMISSION_DENIED");
  await replaceFile(`${dir}/policy.json`, policy(["all"]));
  await server.says(/^info Reloaded the policy/);
  assert.equal(await register(), "OK");
  await replaceFile(`${dir}/policy.json`, policy(["alll"]));
  await server.says(
    /^error Cannot reload the policy, .* stays in force: Cannot use the policy file: at "roles.builder\[0\].calls": "alll" is not a call/,
  );
  assert.equal(await register(), "OK");
  server.process.kill("SIGHUP");
  await replaceFile(`${dir}/policy.json`, policy(["read"]));
  server.process.kill("SIGHUP");
  while (await register() === "OK");
  assert.equal(await server.stop(), 0);
  assert.match((await teleportd("audit", "verify", `${dir}/data/audit`)).stdout, /The audit log is whole\n$/);
});

Deno.test("teleportd reloads on SIGHUP when it cannot see a change", async () => {
  await using place = await makePlace();
  const { dir } = place;
  const policy = (calls: string[]) => JSON.stringify({ roles: { builder: [{ calls, jobs: "own" }] } });
  // The server watches the directory of the link, not of its target.
  await Deno.mkdir(`${dir}/elsewhere`);
  await replaceFile(`${dir}/elsewhere/policy.json`, policy(["read"]));
  await Deno.symlink("elsewhere/policy.json", `${dir}/policy.json`);
  await using server = await startServer({
    dir,
    initCerts: false,
    jobHost: "none",
    args: ["--policy", `${dir}/policy.json`],
  });
  await using ann = clientWith(server, await user("ann", "builder"));
  await replaceFile(`${dir}/elsewhere/policy.json`, policy(["all"]));
  assert.equal((await refusal(ann.calls.Register({ command: "true" }))).status, "PERMISSION_DENIED");
  server.process.kill("SIGHUP");
  await server.says(/^info Reloaded the policy/);
  assert.equal((await ann.calls.Register({ command: "true" })).owner, "ann");
});

/** Returns the certificate that a new connection receives. */
function shownBy(server: Server, own: Issued): Promise<string> {
  return new Promise((resolve, reject) => {
    const port = Number(server.address.slice(server.address.lastIndexOf(":") + 1));
    const { cert, key } = own;
    const to = { host: "127.0.0.1", port, servername: "localhost", ca: ca.cert, cert, key, ALPNProtocols: ["h2"] };
    const socket = connectTls(to, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

Deno.test("teleportd serves a new certificate, and refuses one whose key others can read", async () => {
  await using place = await makePlace();
  const { dir } = place;
  const ann = await user("ann", "viewer");
  await using server = await startServer({ dir, initCerts: false, jobHost: "none" });
  const hosts = ["localhost", "127.0.0.1"];
  const [second, third] = await Promise.all(
    ["second", "third"].map((name) => issue({ subject: [["CN", name]], usage: "server", hosts, issuer: ca })),
  ) as [Issued, Issued];
  const before = await shownBy(server, ann);
  await replaceFile(`${dir}/certs/server.key`, second.key, 0o600);
  await replaceFile(`${dir}/certs/server.crt`, second.cert);
  await server.says(/^info Reloaded the certificates/);
  const { fingerprint256 } = new X509Certificate(second.cert);
  assert.notEqual(before, fingerprint256);
  assert.equal(await shownBy(server, ann), fingerprint256);
  await replaceFile(`${dir}/certs/server.key`, third.key, 0o640);
  await replaceFile(`${dir}/certs/server.crt`, third.cert);
  await server.says(
    /^error Cannot reload the certificates, .* stays in force: .*server\.key": other users can read or change it \(mode 0640\)/,
  );
  assert.equal(await shownBy(server, ann), fingerprint256);
});

Deno.test("teleportd refuses a new server certificate, or warns about it, as at the start", async () => {
  await using place = await makePlace();
  const { dir } = place;
  await using server = await startServer({ dir, initCerts: false, jobHost: "none" });
  const put = async ({ cert, key }: Pick<Issued, "cert" | "key">) => {
    await replaceFile(`${dir}/certs/server.key`, key, 0o600);
    await replaceFile(`${dir}/certs/server.crt`, cert);
  };
  const old = await issue({ subject: [["CN", "old"]], usage: "ca", issuer: ca, from: -25_000 });
  const below = await issue({ subject: [["CN", "new"]], usage: "server", hosts: ["localhost"], issuer: old });
  await put({ ...below, cert: `${below.cert}\n${old.cert}` });
  await server.says(
    /^error Cannot reload the certificates, .* stays in force: Cannot use "server\.crt": .*"CN=old".* begins in 195/,
  );
  await put(await user("ann", "admin"));
  await server.says(/^warn "server\.crt" is not accepted: .*"O=admin, CN=ann".* is not one for a server/);
});

Deno.test("teleportd reloads certificates when Kubernetes replaces the link to them", async () => {
  await using place = await makePlace();
  const { dir } = place;
  const certs = `${dir}/certs`;
  const names = ["ca.crt", "server.crt", "server.key"];
  const next = await issue({ subject: [["CN", "next"]], usage: "server", hosts: ["localhost"], issuer: ca });
  for (const version of ["..one", "..two"]) {
    await Deno.mkdir(`${certs}/${version}`);
    for (const name of names) await Deno.copyFile(`${certs}/${name}`, `${certs}/${version}/${name}`);
  }
  await Deno.writeTextFile(`${certs}/..two/server.crt`, next.cert);
  await Deno.writeTextFile(`${certs}/..two/server.key`, next.key);
  await Deno.symlink("..one", `${certs}/..data`);
  for (const name of names) {
    await Deno.remove(`${certs}/${name}`);
    await Deno.symlink(`..data/${name}`, `${certs}/${name}`);
  }
  await using server = await startServer({ dir, initCerts: false, jobHost: "none" });
  const ann = await user("ann", "viewer");
  const { fingerprint256 } = new X509Certificate(next.cert);
  assert.notEqual(await shownBy(server, ann), fingerprint256);
  await Deno.symlink("..two", `${certs}/..data_tmp`);
  await Deno.rename(`${certs}/..data_tmp`, `${certs}/..data`);
  await server.says(/^info Reloaded the certificates/);
  assert.equal(await shownBy(server, ann), fingerprint256);
});

Deno.test("teleportd --check-config reports the configuration and its errors", async () => {
  await using place = await makePlace();
  const { dir } = place;
  const check = (...more: string[]) => teleportd("--check-config", "--certs", `${dir}/certs`, ...more);
  const good = await check();
  assert.equal(good.code, 0);
  assert.equal(/warn The server's certificate/.test(good.stderr), false, "half of its two days is left");
  assert.match(
    good.stderr,
    /can be used, 0 are revoked\n\S+ info There is no policy file: the roles are admin, operator and viewer\n$/,
  );
  await replaceFile(`${dir}/policy.json`, '{ "roles": { "a": [] }, "tempaltes": {} }');
  const misspelt = await check("--policy", `${dir}/policy.json`);
  assert.deepEqual([misspelt.code, misspelt.stdout], [1, ""]);
  assert.match(misspelt.stderr, /Cannot use the policy file: unknown field "tempaltes"/);
  assert.equal((await check("--policy", `${dir}/nowhere.json`)).code, 1);
  await Deno.chmod(`${dir}/certs/server.key`, 0o644);
  const open = await check();
  assert.equal(open.code, 1);
  assert.match(open.stderr, /server\.key": other users can read or change it \(mode 0644\); run chmod 600/);
  await Deno.chmod(`${dir}/certs/server.key`, 0o600);
  const ownCert = await Deno.readTextFile(`${dir}/certs/server.crt`);
  const ownKey = await Deno.readTextFile(`${dir}/certs/server.key`);
  const foreign = await issue({ subject: [["CN", "server"]], usage: "server", hosts: ["localhost"], issuer: otherCa });
  assert.equal(/server\.crt" is not signed/.test(good.stderr), false);
  await replaceFile(`${dir}/certs/server.crt`, foreign.cert);
  assert.match(
    (await check()).stderr,
    /Cannot use "\/.*\/server\.key": The certificate and the private key do not match/,
  );
  await replaceFile(`${dir}/certs/server.key`, foreign.key, 0o600);
  assert.match((await check()).stderr, / warn "server\.crt" is not signed by an authority of "ca\.crt": clients/);
  const wanted = { subject: [["CN", "server"]], usage: "server", hosts: ["localhost"], issuer: ca } as const;
  const ending = await issue({ ...wanted, from: -9, until: 1 });
  await replaceFile(`${dir}/certs/server.crt`, ending.cert);
  await replaceFile(`${dir}/certs/server.key`, ending.key, 0o600);
  assert.match((await check()).stderr, /warn The server's certificate ends in (less than a day|1 day)/);
  await replaceFile(`${dir}/certs/server.crt`, ownCert);
  await replaceFile(`${dir}/certs/server.key`, ownKey, 0o600);
  await replaceFile(`${dir}/certs/ca.crl`, "hello");
  assert.match((await check()).stderr, /Cannot use the revocation list: it must have/);
  // The check makes nothing, not even the data directory.
  assert.deepEqual([...Deno.readDirSync(dir)].map(({ name }) => name).sort(), ["certs", "policy.json"]);
});
