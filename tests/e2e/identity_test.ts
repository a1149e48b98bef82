/** Who gets in, stays in and is thrown out, and what is written down of it: against the server as a process. */
import "reflect-metadata";
import assert from "node:assert/strict";
import * as x509 from "@peculiar/x509";
import { makeRevocations } from "../../certs/revocations.ts";
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import { connect, type RpcClient } from "../../rpc/client.ts";
import { ca, issue, type Issued, otherCa, type Wanted } from "../rpc/certificates.ts";
import { auditLines, certs, makePlace, replaceFile, startWatched, teleportd } from "./identity_process.ts";
import { teleport } from "./programs.ts";
import { clientOf, refusal, startUp } from "./teleportd.ts";

const strict = { sanitizeOps: true, sanitizeResources: true } as const;

/** A user's certificate by the test's authority. */
function user(name: string, role: string, wanted: Partial<Wanted> = {}): Promise<Issued> {
  return issue({ subject: [["O", role], ["CN", name]], usage: "client", issuer: ca, ...wanted });
}

/** The list of revoked certificates of the test's authority. */
async function listOf(...revoked: Issued[]): Promise<string> {
  const key = x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", ca.keys.privateKey), "PRIVATE KEY");
  const entries = revoked.map(({ certificate }) => ({
    serialNumber: certificate.serialNumber.toUpperCase(),
    revokedAt: new Date(),
  }));
  const authority = { certificate: ca.cert, key, notAfter: ca.certificate.notAfter };
  return await makeRevocations(entries, authority, { number: 1, now: new Date() });
}

Deno.test("every bad certificate is refused, reaches no handler, and is written down", strict, async () => {
  await using place = await makePlace();
  const { dir } = place;
  const subject = [["O", "admin"], ["CN", "mallory"]] as const;
  const revoked = await user("mallory", "admin");
  await replaceFile(`${dir}/certs/ca.crl`, await listOf(revoked));
  await using server = await startWatched(dir);
  const notAuthority = await user("mallory", "admin");
  const hosts = ["localhost"];
  const [tls, identity, roles] = ["UNAVAILABLE", "UNAUTHENTICATED", "PERMISSION_DENIED"];
  const matrix: [string, Issued, string, RegExp][] = [
    ["self-signed", await issue({ subject, usage: "client" }), tls!, /does not accept/],
    ["wrong CA", await issue({ subject, usage: "client", issuer: otherCa }), tls!, /does not accept/],
    ["expired", await user("mallory", "admin", { from: -2, until: -1 }), tls!, /does not accept/],
    ["not yet valid", await user("mallory", "admin", { from: 1, until: 2 }), tls!, /does not accept/],
    ["server usage", await issue({ subject, usage: "server", hosts, issuer: ca }), tls!, /does not accept/],
    [
      "an intermediate that is no CA",
      await issue({ subject, usage: "client", issuer: notAuthority }),
      tls!,
      /not accept/,
    ],
    ["the CA itself", ca, identity!, /an authority's, not a user's/],
    ["revoked", revoked, identity!, /was revoked/],
    ["no role", await issue({ subject: [["CN", "mallory"]], usage: "client", issuer: ca }), roles!, /with roles none/],
    ["a role nobody knows", await user("mallory", "root"), roles!, /with roles "root"/],
    ["CN empty", await user("", "admin"), identity!, /does not name exactly one user/],
    ["no CN", await issue({ subject: [["O", "admin"]], usage: "client", issuer: ca }), identity!, /exactly one user/],
    ["CN with control characters", await user("adm\nin", "admin"), identity!, /control characters/],
    ["CN with an escape", await user("\u001b[2Jadmin", "admin"), identity!, /control characters/],
    [
      "1,000 Os",
      await issue({
        subject: [...Array.from({ length: 1_000 }, (_, index) => ["O", `admin${index}`] as const), ["CN", "mallory"]],
        usage: "client",
        issuer: ca,
      }),
      identity!,
      /"1000" roles/,
    ],
  ];
  for (const [kind, own, wanted, sentence] of matrix) {
    await using client = server.as(own);
    for (const call of [() => client.calls.List({}), () => client.calls.Register({ command: "true" })]) {
      const { status, message } = await refusal(call());
      assert.equal(status, wanted, `${kind}: ${message}`);
      assert.match(message, sentence, kind);
    }
  }
  // None at all: the client's own TLS is told no.
  const without = await import("node:tls").then(({ connect }) =>
    new Promise<string>((resolve) => {
      const port = Number(server.address.split(":").at(-1));
      const socket = connect({ port, host: "127.0.0.1", servername: "localhost", ca: ca.cert, ALPNProtocols: ["h2"] });
      socket.on("error", () => {});
      socket.on("data", (bytes) => resolve(`answered ${bytes.length}`));
      socket.once("close", () => resolve("closed"));
    })
  );
  assert.equal(without, "closed");
  await using admin = server.as(await user("admin", "admin"));
  assert.deepEqual((await admin.calls.List({})).jobs, []);
  assert.equal(await server.stop(), 0);

  const lines = await auditLines(dir);
  const refusedCalls = lines.filter(({ event, allowed }) => event === "call" && !allowed);
  const handshakes = lines.filter(({ event }) => event === "handshake");
  // Of each that TLS let through both calls; the others as often as they tried to connect.
  assert.equal(refusedCalls.length, 2 * matrix.filter(([, , wanted]) => wanted !== tls).length);
  assert.ok(handshakes.length >= 1 + matrix.filter(([, , wanted]) => wanted === tls).length);
  for (const { peer, rule, code } of [...refusedCalls, ...handshakes]) {
    assert.match(String(peer), /^127\.0\.0\.1:\d+$/);
    assert.ok(rule);
    assert.ok(code === "UNAUTHENTICATED" || code === "PERMISSION_DENIED");
  }
  assert.equal(lines.some(({ event, allowed, user }) => event === "call" && allowed && user !== "admin"), false);
  assert.equal((await teleportd("audit", "verify", `${dir}/data/audit`)).code, 0);
});

Deno.test("a revoked user is out within a second, streams and all; the user's jobs run on", strict, async () => {
  await using place = await makePlace();
  const { dir } = place;
  const [ann, bob] = [await user("ann", "operator"), await user("bob", "admin")];
  await using server = await startWatched(dir);
  await using annClient = server.as(ann);
  await using bobClient = server.as(bob);
  const id = await startUp(annClient.calls, "echo up; sleep 1000");
  const statuses = annClient.calls.StatusStream({ id })[Symbol.asyncIterator]();
  await statuses.next();
  const cut = refusal(statuses.next());
  const bobs = bobClient.calls.StatusStream({ id })[Symbol.asyncIterator]();
  assert.equal((await bobs.next()).value?.state, "STATE_RUNNING");
  const beganMs = performance.now();
  await replaceFile(`${dir}/certs/ca.crl`, await listOf(ann));
  const { status, message } = await cut;
  assert.ok(performance.now() - beganMs < 1_000, `It took ${performance.now() - beganMs} ms`);
  assert.deepEqual([status, message], ["UNAUTHENTICATED", "The certificate was revoked: ask for a new one"]);
  await using again = server.as(ann);
  assert.equal((await refusal(again.calls.List({}))).status, "UNAUTHENTICATED");
  assert.equal((await bobClient.calls.Status({ id })).state, "STATE_RUNNING");
  const last = bobs.next();
  await bobClient.calls.Stop({ id, grace_ms: 0 });
  assert.equal((await last).done, false);
  await bobs.return?.();
  // A list that somebody else has signed, or that is gone, lets nobody in again.
  await replaceFile(`${dir}/certs/ca.crl`, "hello");
  await server.says(/^kept the list of revoked certificates in force: .*not one list in PEM/);
  await Deno.remove(`${dir}/certs/ca.crl`);
  await server.says(/^kept the list of revoked certificates in force: There is none any more/);
  assert.equal((await refusal(again.calls.List({}))).status, "UNAUTHENTICATED");
});

/** A stream that has begun. */
async function watching(client: RpcClient, id: string): Promise<AsyncIterator<JobStatus>> {
  const stream = client.calls.StatusStream({ id })[Symbol.asyncIterator]();
  assert.equal((await stream.next()).done, false);
  return stream;
}

Deno.test("an authority follows another under 50 open streams, by the tool alone", strict, async () => {
  const dir = await Deno.makeTempDir({ prefix: "teleport_identity_" });
  await using _ = { [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }) };
  const tool = (...args: string[]) => certs(...args, "--dir", `${dir}/certs`);
  await tool("init");
  await tool("client", "ann", "--role", "operator");
  await using server = await startWatched(dir);
  // By the certificates from before, whatever becomes of the files.
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
  await server.says(/^took up new certificates/);
  const oldCredentials = { ca: await read("ca.crt"), ...adminBefore };
  await tool("client", "ann", "--role", "operator", "--force");
  assert.deepEqual([await oldOnce(), await newOnce()], ["OK", "OK"]);
  await tool("renew", "server");
  await tool("renew", "ca", "--finish");
  // The last change may still be on its way in.
  while (await newOnce() !== "OK" || await oldOnce() === "OK");
  assert.deepEqual([await oldOnce(), await newOnce()], ["UNAVAILABLE", "OK"]);
  assert.equal(await Promise.race([settled, Promise.resolve("alive")]), "alive");
  // The old connection makes no new calls, and its streams still are told of the end.
  assert.equal((await refusal(old.calls.List({}))).status, "UNAUTHENTICATED");
  await tool("renew", "admin");
  await using admin = await clientOf(server);
  await admin.calls.Stop({ id, grace_ms: 0 });
  for (const { done } of await Promise.all(nexts)) assert.equal(done, false);
  await Promise.all(streams.map((stream) => stream.return?.()));
});

Deno.test("a policy is taken up when it changes and on SIGHUP; a broken one is not", strict, async () => {
  await using place = await makePlace();
  const { dir } = place;
  const policy = (calls: string[]) => JSON.stringify({ roles: { builder: [{ calls, jobs: "own" }] } });
  await replaceFile(`${dir}/policy.json`, policy(["read"]));
  await using server = await startWatched(dir, "--policy", `${dir}/policy.json`);
  await using ann = server.as(await user("ann", "builder"));
  const register = () => ann.calls.Register({ command: "true" }).then(() => "OK", ({ status }) => status);
  assert.equal(await register(), "PERMISSION_DENIED");
  await replaceFile(`${dir}/policy.json`, policy(["all"]));
  await server.says(/^took up new policy/);
  assert.equal(await register(), "OK");
  await replaceFile(`${dir}/policy.json`, policy(["alll"]));
  await server.says(/^kept the policy in force: Policy file is wrong at "roles.builder\[0\].calls": "alll" is no call/);
  assert.equal(await register(), "OK");
  server.process.kill("SIGHUP");
  await replaceFile(`${dir}/policy.json`, policy(["read"]));
  server.process.kill("SIGHUP");
  while (await register() === "OK");
  assert.equal(await server.stop(), 0);
  assert.match((await teleportd("audit", "verify", `${dir}/data/audit`)).stdout, /The record is whole\n$/);
});

Deno.test("teleportd --check-config says what it would serve with, and what is wrong", strict, async () => {
  await using place = await makePlace();
  const { dir } = place;
  const check = (...more: string[]) => teleportd("--check-config", "--certs", `${dir}/certs`, ...more);
  const good = await check();
  assert.equal(good.code, 0);
  assert.match(good.stderr, /warning: the server's certificate ends in (less than a day|1 day)/);
  assert.match(good.stderr, /can be used, 0 are revoked\nno policy file: the roles are admin, operator and viewer\n$/);
  await replaceFile(`${dir}/policy.json`, '{ "roles": { "a": [] }, "tempaltes": {} }');
  const misspelt = await check("--policy", `${dir}/policy.json`);
  assert.deepEqual([misspelt.code, misspelt.stdout], [1, ""]);
  assert.match(misspelt.stderr, /Policy file is wrong at "policy": unknown field "tempaltes"/);
  assert.equal((await check("--policy", `${dir}/nowhere.json`)).code, 1);
  await Deno.chmod(`${dir}/certs/server.key`, 0o644);
  const open = await check();
  assert.equal(open.code, 1);
  assert.match(open.stderr, /server\.key" can be read or changed by others \(mode "0644"\): run chmod 600/);
  await Deno.chmod(`${dir}/certs/server.key`, 0o600);
  await replaceFile(`${dir}/certs/ca.crl`, "hello");
  assert.match((await check()).stderr, /list of revoked certificates is not one list in PEM/);
  // Nothing was made, not even a directory for data.
  assert.deepEqual([...Deno.readDirSync(dir)].map(({ name }) => name).sort(), ["certs", "policy.json"]);
});

Deno.test("teleportd audit verify finds a changed, a removed and a reordered line", strict, async () => {
  await using place = await makePlace();
  const { dir } = place;
  {
    await using server = await startWatched(dir);
    await using ann = server.as(await user("ann", "operator"));
    for (let count = 0; count < 5; count++) await ann.calls.Register({ command: "true", args: [String(count)] });
  }
  const path = `${dir}/data/audit/audit-00000001.jsonl`;
  const good = await Deno.readTextFile(path);
  const verify = () => teleportd("audit", "verify", `${dir}/data/audit`);
  assert.equal((await verify()).code, 0);
  const lines = good.trim().split("\n");
  for (
    const [what, changed] of [
      ["changed", lines.with(2, lines[2]!.replace('"1"', '"9"'))],
      ["removed", lines.toSpliced(2, 1)],
      ["removed at the end", lines.slice(0, -1)],
      ["reordered", lines.with(2, lines[3]!).with(3, lines[2]!)],
    ] as const
  ) {
    assert.notDeepEqual(changed, lines);
    await Deno.writeTextFile(path, changed.map((line) => `${line}\n`).join(""));
    const { code, stdout } = await verify();
    assert.equal(code, 1, what);
    assert.match(stdout, /The record is NOT whole\n$/);
  }
  await Deno.writeTextFile(path, good);
  assert.equal((await verify()).code, 0);
  assert.equal((await teleportd("audit", "verify", `${dir}/nowhere`)).code, 1);
  assert.equal((await teleportd("audit", "verify")).code, 2);
});

Deno.test("teleport whoami and can-i say who one is, what one may, and by which rule", strict, async () => {
  const dir = await Deno.makeTempDir({ prefix: "teleport_identity_" });
  await using _ = { [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }) };
  await certs("init", "--dir", `${dir}/certs`);
  await certs("client", "ann", "--role", "builder", "--role", "other", "--days", "10", "--dir", `${dir}/certs`);
  const rule = {
    calls: ["all"],
    jobs: "own",
    commands: [{ path: "/bin/echo", args: ["[a-z]+"] }],
    templates: ["greet"],
  };
  const greet = { command: "/bin/echo", args: ["hello", "{who}"], parameters: { who: { enum: ["world", "you"] } } };
  const all = { calls: ["all"], jobs: "all" };
  const policy = { roles: { builder: [rule], admin: [all] }, templates: { greet } };
  await replaceFile(`${dir}/policy.json`, JSON.stringify(policy));
  await using server = await startWatched(dir, "--policy", `${dir}/policy.json`);
  const ann = (...args: string[]) => teleport(server, "--identity", "ann", ...args);
  const me = await ann("whoami");
  assert.equal(me.code, 0, me.stderr);
  assert.match(
    me.stdout,
    /^User: +ann\nRoles: +builder, other\nExpires: +.*\(in 9 days: ask for a new certificate\)$/m,
  );
  assert.match(
    me.stdout,
    /^Known roles: +builder\nRules: +builder\/1: all calls on own jobs, only commands \/bin\/echo, /m,
  );
  const asked: [string[], number, RegExp][] = [
    [["can-i", "list"], 0, /^yes: builder\/1/],
    [["can-i", "register", "--", "/bin/echo", "hi"], 0, /^yes: builder\/1\n$/],
    [["can-i", "register", "--", "/bin/echo", "-n"], 1, /^no: rule "builder\/1" does not allow argument 1, "-n"/],
    [["can-i", "register", "--template", "greet", "--param", "who=you"], 0, /^yes/],
    [["can-i", "register", "--template", "greet", "--param", "who=me"], 1, /^no: Invalid parameter "who", "me"/],
    [["can-i", "stop", "--job", "01890000-0000-7000-8000-000000000000"], 1, /^no: Unknown job/],
  ];
  for (const [args, code, sentence] of asked) {
    const got = await ann(...args);
    assert.equal(got.code, code, got.stderr);
    assert.match(got.stdout, sentence);
  }
  const json = await ann("can-i", "list", "--output", "json");
  assert.deepEqual(JSON.parse(json.stdout).code, "OK");
  const run = await ann("run", "--template", "greet", "--param", "who=world");
  assert.deepEqual([run.code, run.stdout], [0, "hello world\n"]);
  assert.equal((await ann("run", "--", "sh", "-c", "true")).code, 1);
  assert.equal((await ann("run", "--template", "greet", "sh")).code, 2);
});
