/** A server refuses everyone without a valid certificate, and keeps serving after each attempt. */
import assert from "node:assert/strict";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { CallName } from "../../proto/service.ts";
import { connect } from "../../rpc/client/client.ts";
import { methods } from "../../rpc/shared/definition.ts";
import { ca, credentials, issue, type Issued, otherCa } from "../support/certificates.ts";
import { type Server, startServer } from "../support/programs.ts";
import { clientOf, descriptorsBackTo, descriptorsOf, refusal } from "../support/server_process.ts";

const LOCAL_HOSTS = ["localhost", "127.0.0.1", "::1"];
const MALLORY = [["O", "admin"], ["CN", "mallory"]] as const;

/** A certificate directory with the authority's key, so that the test can make any certificate. */
interface Place extends AsyncDisposable {
  readonly dir: string;
}

async function makePlace(hosts: readonly string[] = LOCAL_HOSTS): Promise<Place> {
  const dir = await Deno.makeTempDir({ prefix: "teleport_e2e_" });
  const made: Record<string, Issued> = {
    ca,
    server: await issue({ subject: [["CN", "server"]], usage: "server", hosts, issuer: ca }),
    admin: await issue({ subject: [["O", "admin"], ["CN", "admin"]], usage: "client", issuer: ca }),
  };
  await Deno.mkdir(`${dir}/certs`, { mode: 0o700 });
  for (const [name, { cert, key }] of Object.entries(made)) {
    await Deno.writeTextFile(`${dir}/certs/${name}.crt`, cert);
    await Deno.writeTextFile(`${dir}/certs/${name}.key`, key, { mode: 0o600 });
  }
  return { dir, [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }) };
}

/** Checks that the server still serves a new client. */
async function assertServes(server: Server): Promise<void> {
  await using client = await clientOf(server);
  assert.equal(await client.health(), "SERVING");
  assert.deepEqual((await client.calls.List({})).jobs, []);
}

/** The first bytes of a TLS alert: RFC 8446, section 5.1. */
const TLS_ALERT = 21;

/** Sends a request without waiting for the server. Resolves when the server closes without an answer. */
function closedUnserved(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      if (bytes[0] !== TLS_ALERT) reject(new Error(`The server answered with ${bytes.length} bytes`));
    });
    socket.once("close", () => resolve());
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  });
}

Deno.test("teleportd refuses every stranger, with a TLS alert where possible, and keeps nothing of them", async () => {
  await using place = await makePlace();
  await using server = await startServer({ dir: place.dir });
  await assertServes(server);
  const before = descriptorsOf(server);
  const { address } = server;
  const admin = await issue({ subject: MALLORY, usage: "client", issuer: ca });
  const wrong: [string, Issued][] = [
    ["of another authority", await issue({ subject: MALLORY, usage: "client", issuer: otherCa })],
    ["that signed itself", await issue({ subject: MALLORY, usage: "client" })],
    ["that has expired", await issue({ subject: MALLORY, usage: "client", issuer: ca, from: -2, until: -1 })],
    ["that is not valid yet", await issue({ subject: MALLORY, usage: "client", issuer: ca, from: 1, until: 2 })],
    ["of a server", await issue({ subject: MALLORY, usage: "server", issuer: ca, hosts: LOCAL_HOSTS })],
    ["that a client has signed", await issue({ subject: MALLORY, usage: "client", issuer: admin })],
  ];
  for (const [kind, certificate] of wrong) {
    await using client = connect({ address, credentials: credentials(ca, certificate) });
    const { calls } = client;
    for (const call of [() => calls.List({}), () => calls.Register({ command: "true" }), () => client.health()]) {
      const { status, message } = await refusal(call());
      assert.equal(status, "UNAVAILABLE", kind);
      assert.match(message, /does not accept this client's certificate: give one that its CA has signed/, kind);
    }
    await assertServes(server);
  }

  const port = Number(address.slice(address.lastIndexOf(":") + 1));
  const to = { host: "127.0.0.1", port, servername: "localhost", ALPNProtocols: ["h2"], ca: ca.cert };
  const { cert, key } = admin;
  const connections: [string, () => Socket][] = [
    ["no certificate", () => connectTls(to)],
    ["TLS 1.2", () => connectTls({ ...to, cert, key, maxVersion: "TLSv1.2" })],
    ["plain text", () => connectTcp(port, "127.0.0.1")],
  ];
  for (const [kind, open] of connections) {
    await closedUnserved(open()).catch((error) => assert.fail(`${kind}: ${error}`));
    await assertServes(server);
  }
  await descriptorsBackTo(server, before);
});

async function* once(request: object): AsyncGenerator<object> {
  yield request;
}

Deno.test("teleportd lets a certificate without a known role call only health", async () => {
  await using place = await makePlace();
  await using server = await startServer({ dir: place.dir });
  await using admin = await clientOf(server);
  const { id } = await admin.calls.Register({ command: "true" });
  for (const roles of [[], ["unknown"], ["Admin", "root"]]) {
    const subject = [...roles.map((role) => ["O", role] as const), ["CN", "eve"] as const];
    const eve = await issue({ subject, usage: "client", issuer: ca });
    await using client = connect({ address: server.address, credentials: credentials(ca, eve) });
    const { calls } = client;
    const attempts = Object.entries(methods).map(([name, { requestStream, responseStream }]) => async () => {
      const call = calls[name as CallName] as (request: object) => Promise<unknown> | AsyncIterable<unknown>;
      const request = { id, command: "true" };
      const answer = call(requestStream ? once(request) : request);
      return responseStream ? await Array.fromAsync(answer as AsyncIterable<unknown>) : await answer;
    });
    for (const attempt of attempts) {
      const { status, code, message } = await refusal(attempt());
      assert.deepEqual([status, code], ["PERMISSION_DENIED", "PERMISSION_DENIED"]);
      assert.match(message, /^User "eve" with roles .+: ask for a certificate with a role that may$/);
    }
    assert.equal(await client.health(), "SERVING");
  }
  assert.equal((await admin.calls.Status({ id })).state, "STATE_INITIAL");
});

Deno.test("teleportd accepts the authority's own certificate as no user", async () => {
  await using place = await makePlace();
  await using server = await startServer({ dir: place.dir });
  await using client = connect({ address: server.address, credentials: credentials(ca, ca) });
  const { status, message } = await refusal(client.calls.List({}));
  assert.equal(status, "UNAUTHENTICATED");
  assert.match(message, /use a client certificate made by this server's authority$/);
  await assertServes(server);
});

Deno.test("teleport refuses a server whose certificate is for another host", async () => {
  await using place = await makePlace(["elsewhere.example"]);
  await using server = await startServer({ dir: place.dir });
  const port = server.address.slice(server.address.lastIndexOf(":") + 1);
  for (const host of ["127.0.0.1", "localhost"]) {
    await using client = await clientOf(server, "admin", `${host}:${port}`);
    const { status, message } = await refusal(client.calls.Register({ command: "true" }));
    assert.equal(status, "UNAVAILABLE");
    assert.match(message, new RegExp(`its certificate is not for "${host}"`));
  }
});
