/** A server refuses every kind of bad certificate before a handler runs, and records each in the audit log. */
import assert from "node:assert/strict";
import { ca, issue, type Issued, otherCa } from "../support/certificates.ts";
import { listOf, user } from "../support/identity_certificates.ts";
import { startServer, teleportd } from "../support/programs.ts";
import { auditEntries, clientWith, makePlace, replaceFile } from "../support/server_place.ts";
import { refusal } from "../support/server_process.ts";

Deno.test("teleportd refuses every bad certificate before a handler runs, and records it", async () => {
  await using place = await makePlace();
  const { dir } = place;
  const subject = [["O", "admin"], ["CN", "mallory"]] as const;
  const revoked = await user("mallory", "admin");
  await replaceFile(`${dir}/certs/ca.crl`, await listOf(revoked));
  await using server = await startServer({ dir, initCerts: false, jobHost: "none" });
  const notAuthority = await user("mallory", "admin");
  const authority = await issue({ subject: [["CN", "between"]], usage: "ca", issuer: ca });
  const narrow = await issue({ subject: [["CN", "narrow"]], usage: "ca", purpose: "server", issuer: ca });
  const leafOf = (issuer: Issued) => issue({ subject, usage: "client", issuer });
  /** Sends the issuer too, as a chain. */
  const below = (own: Issued, issuer: Issued): Issued => ({ ...own, cert: `${own.cert}\n${issuer.cert}\n` });
  const hosts = ["localhost"];
  const [tls, identity, roles] = ["UNAVAILABLE", "UNAUTHENTICATED", "PERMISSION_DENIED"];
  const matrix: [string, Issued, string, RegExp][] = [
    ["self-signed", await issue({ subject, usage: "client" }), tls!, /does not accept/],
    ["wrong CA", await issue({ subject, usage: "client", issuer: otherCa }), tls!, /does not accept/],
    ["expired", await user("mallory", "admin", { from: -2, until: -1 }), tls!, /does not accept/],
    ["not yet valid", await user("mallory", "admin", { from: 1, until: 2 }), tls!, /does not accept/],
    ["server usage", await issue({ subject, usage: "server", hosts, issuer: ca }), tls!, /does not accept/],
    ["an intermediate that is no CA", below(await leafOf(notAuthority), notAuthority), tls!, /does not accept/],
    ["the same without its intermediate", await leafOf(notAuthority), tls!, /does not accept/],
    ["an intermediate that may sign for servers only", below(await leafOf(narrow), narrow), tls!, /does not accept/],
    ["the CA itself", ca, identity!, /an authority's, not a user's/],
    ["revoked", revoked, identity!, /was revoked/],
    ["no role", await issue({ subject: [["CN", "mallory"]], usage: "client", issuer: ca }), roles!, /with roles none/],
    ["a role nobody knows", await user("mallory", "root"), roles!, /with roles "root"/],
    ["CN empty", await user("", "admin"), identity!, /does not name exactly one user/],
    ["no CN", await issue({ subject: [["O", "admin"]], usage: "client", issuer: ca }), identity!, /exactly one user/],
    ["CN with control characters", await user("adm\nin", "admin"), identity!, /control characters/],
    [
      "two CNs",
      await issue({ subject: [...subject, ["CN", "admin"]], usage: "client", issuer: ca }),
      identity!,
      /one user/,
    ],
    ["CN that is written backwards", await user("\u202enimda", "admin"), identity!, /control characters/],
    ["CN with an escape", await user("\u001b[2Jadmin", "admin"), identity!, /control characters/],
    [
      "1,000 Os",
      await issue({
        subject: [...Array.from({ length: 1_000 }, (_, index) => ["O", `admin${index}`] as const), ["CN", "mallory"]],
        usage: "client",
        issuer: ca,
      }),
      identity!,
      /names 1000 roles/,
    ],
  ];
  for (const [kind, own, wanted, sentence] of matrix) {
    await using client = clientWith(server, own);
    for (const call of [() => client.calls.List({}), () => client.calls.Register({ command: "true" })]) {
      const { status, message } = await refusal(call());
      assert.equal(status, wanted, `${kind}: ${message}`);
      assert.match(message, sentence, kind);
    }
  }
  // A certificate whose chain leads to the authority is accepted.
  await using chained = clientWith(server, below(await leafOf(authority), authority));
  assert.deepEqual((await chained.calls.List({})).jobs, []);
  // Without a certificate, the client's TLS receives an alert.
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
  await using admin = clientWith(server, await user("admin", "admin"));
  assert.deepEqual((await admin.calls.List({})).jobs, []);
  assert.equal(await server.stop(), 0);

  const lines = await auditEntries(dir);
  const refusedCalls = lines.filter(({ event, allowed }) => event === "call" && !allowed);
  const handshakes = lines.filter(({ event }) => event === "handshake");
  // Both calls of each certificate that TLS accepted, and each attempt to connect of the others.
  assert.equal(refusedCalls.length, 2 * matrix.filter(([, , wanted]) => wanted !== tls).length);
  assert.ok(handshakes.length >= 1 + matrix.filter(([, , wanted]) => wanted === tls).length);
  for (
    const reason of [
      / ended on "/,
      / is not valid before "/,
      /not one for a client/,
      /is not one of an authority/,
      /not an accepted authority/,
    ]
  ) {
    assert.ok(handshakes.some(({ rule }) => reason.test(String(rule))), String(reason));
  }
  for (const { peer, rule, code } of [...refusedCalls, ...handshakes]) {
    assert.match(String(peer), /^127\.0\.0\.1:\d+$/);
    assert.ok(rule);
    assert.ok(code === "UNAUTHENTICATED" || code === "PERMISSION_DENIED");
  }
  assert.equal(
    lines.some(({ event, allowed, user }) =>
      event === "call" && allowed && !["admin", "mallory"].includes(String(user))
    ),
    false,
  );
  assert.equal((await teleportd("audit", "verify", `${dir}/data/audit`)).code, 0);
});
