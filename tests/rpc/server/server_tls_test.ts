/**
 * Tests of rpc/server/tls.ts: every wrong certificate and protocol is refused before any handler, and the server
 * continues.
 */
import assert from "node:assert/strict";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { PeerCertificate } from "../../../proto/service.ts";
import type { TlsCredentials } from "../../../rpc/client/client.ts";
import type { RpcServer } from "../../../rpc/server/server.ts";
import { TlsCredentialsError } from "../../../rpc/server/server.ts";
import {
  ca,
  clientCertificate,
  clientCredentials,
  credentials,
  issue,
  otherCa,
  serverCertificate,
  serverCredentials,
} from "../../support/certificates.ts";
import { connectTo, failure, serveLocally } from "../../support/rpc_server.ts";

/** A server that counts its calls. */
async function counting(): Promise<{ server: RpcServer; seen: PeerCertificate[]; reached: () => number }> {
  const seen: PeerCertificate[] = [];
  let calls = 0;
  const server = await serveLocally({
    Status: ({ id }) => {
      calls++;
      return Promise.resolve({ id });
    },
  }, { admit: ({ certificate }) => void seen.push(certificate!) });
  return { server, seen, reached: () => calls + seen.length };
}

/** The type of a TLS alert, the answer to other protocols. Source: RFC 8446, section 5.1. */
const TLS_ALERT = 21;

/** Resolves when the server closes the connection without HTTP/2 data. Its settings would be the first. */
function closedUnserved(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.on("data", (bytes) => {
      if (bytes[0] !== TLS_ALERT) reject(new Error(`The server answered with ${bytes.length} bytes`));
    });
    socket.once("close", () => resolve());
  });
}

async function assertServes(server: RpcServer): Promise<void> {
  await using client = connectTo(server);
  assert.equal((await client.calls.Status({ id: "on" })).id, "on");
}

const subject = [["O", "admin"], ["CN", "mallory"]] as const;
const refused: [string, TlsCredentials][] = [
  ["another authority's", credentials(ca, await issue({ subject, usage: "client", issuer: otherCa }))],
  ["a self-signed", credentials(ca, await issue({ subject, usage: "client" }))],
  ["an expired", credentials(ca, await issue({ subject, usage: "client", issuer: ca, from: -2, until: -1 }))],
  ["a not yet valid", credentials(ca, await issue({ subject, usage: "client", issuer: ca, from: 1, until: 2 }))],
  ["a server's", credentials(ca, serverCertificate)],
  [
    "a client's subordinate",
    credentials(ca, await issue({ subject, usage: "client", issuer: clientCertificate })),
  ],
];

for (const [kind, wrong] of refused) {
  Deno.test(`serve() refuses ${kind} certificate`, async () => {
    const { server, reached } = await counting();
    await using _ = server;
    await using client = connectTo(server, wrong);
    const { status, message } = await failure(client.calls.Status({ id: "" }));
    assert.equal(status, "UNAVAILABLE");
    assert.match(message, /does not accept this client's certificate/);
    assert.equal(reached(), 0);
    await assertServes(server);
  });
}

const wrongTls: [string, object][] = [
  ["no certificate", { ca: ca.cert }],
  ["TLS 1.2", { ...clientCredentials, maxVersion: "TLSv1.2" }],
];

for (const [kind, options] of wrongTls) {
  Deno.test(`serve() closes a connection with ${kind}`, async () => {
    const { server, reached } = await counting();
    await using _ = server;
    const socket = connectTls({
      host: "127.0.0.1",
      port: server.port,
      servername: "localhost",
      ALPNProtocols: ["h2"],
      ...options,
    });
    socket.on("error", () => {});
    // A client may send its preface before the server has answered.
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    await closedUnserved(socket);
    assert.equal(reached(), 0);
    await assertServes(server);
  });
}

Deno.test("serve() closes a connection that does not speak TLS", async () => {
  const { server, reached } = await counting();
  await using _ = server;
  const socket = connectTcp(server.port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  await closedUnserved(socket);
  assert.equal(reached(), 0);
  await assertServes(server);
});

Deno.test("serve() passes the certificate of an authority to admit()", async () => {
  const { server, seen } = await counting();
  await using _ = server;
  await using client = connectTo(server, credentials(ca, ca));
  await client.calls.Status({ id: "" });
  assert.equal(seen[0]?.isAuthority, true);
});

Deno.test("serve() passes the user and the roles of a certificate to admit()", async () => {
  const { server, seen } = await counting();
  await using _ = server;
  await using client = connectTo(server);
  await client.calls.Status({ id: "" });
  await client.calls.Status({ id: "" });
  assert.deepEqual(seen[0]?.commonNames, ["ann"]);
  assert.deepEqual(seen[0]?.organizations, ["admin", "viewer"]);
  assert.equal(seen[0]?.isAuthority, false);
  assert.equal(seen[0], seen[1], "the certificate is read once for each connection");
});

Deno.test("serve() distinguishes the callers of two connections", async () => {
  const { server, seen } = await counting();
  await using _ = server;
  await using ann = connectTo(server);
  await using bob = connectTo(
    server,
    credentials(ca, await issue({ subject: [["CN", "bob"]], usage: "client", issuer: ca })),
  );
  await Promise.all([ann.calls.Status({ id: "" }), bob.calls.Status({ id: "" })]);
  await Promise.all([bob.calls.Status({ id: "" }), ann.calls.Status({ id: "" })]);
  assert.deepEqual(seen.flatMap(({ commonNames }) => commonNames).sort(), ["ann", "ann", "bob", "bob"]);
});

const unusable: [string, Partial<TlsCredentials>, string, RegExp][] = [
  ["an empty CA", { ca: "" }, "ca", /Cannot read the CA certificate/],
  [
    "a CA that is not PEM",
    { ca: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" },
    "ca",
    /Cannot read/,
  ],
  ["a CA that is not an authority", { ca: clientCertificate.cert }, "ca", /not one of an authority/],
  ["an empty certificate", { cert: "" }, "cert", /Cannot read the certificate/],
  ["an empty key", { key: "" }, "key", /Cannot read the private key/],
  ["another certificate's key", { key: clientCertificate.key }, "key", /do not match/],
];

for (const [kind, part, name, pattern] of unusable) {
  Deno.test(`serve() throws for ${kind}`, async () => {
    await assert.rejects(serveLocally({}, { credentials: { ...serverCredentials, ...part } }), (error) => {
      assert(error instanceof TlsCredentialsError);
      assert.equal(error.part, name);
      assert.match(error.message, pattern);
      return true;
    });
  });
}
