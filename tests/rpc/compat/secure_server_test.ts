/** Tests of rpc/compat/secure_server.ts. The TLS policy of servers is tested in ../server/server_tls_test.ts. */
import * as grpc from "@grpc/grpc-js";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { captureServer, rejectConnections, tcpSocketOf } from "../../../rpc/compat/secure_server.ts";
import { ca, issue, otherCa, serverCertificate } from "../../support/certificates.ts";
import { deadline } from "../../support/deadline.ts";

const stranger = await issue({ subject: [["CN", "stranger"]], usage: "client", issuer: otherCa });

/** Connects with a certificate of another CA. Returns what `observe` returns of the server's side of the connection. */
async function refused<T>(
  options: http2.SecureServerOptions,
  prepare: (server: http2.Http2SecureServer, observe: (socket: TLSSocket) => void) => void,
  observe: (socket: TLSSocket) => T,
): Promise<T> {
  const { cert, key } = serverCertificate;
  const server = http2.createSecureServer({ ca: ca.cert, cert, key, requestCert: true, ...options });
  const observed = Promise.withResolvers<T>();
  prepare(server, (socket) => observed.resolve(observe(socket)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = connect({
    host: "127.0.0.1",
    port,
    servername: "localhost",
    ca: ca.cert,
    cert: stranger.cert,
    key: stranger.key,
    ALPNProtocols: ["h2"],
  });
  client.on("error", () => {});
  const closed = once(client, "close");
  const result = await deadline(observed.promise);
  client.destroy();
  await closed;
  const ended = once(server, "close");
  server.close();
  await ended;
  return result;
}

const onFailure = (server: http2.Http2SecureServer, observe: (socket: TLSSocket) => void) =>
  void server.prependListener("tlsClientError", (_: Error, socket: TLSSocket) => observe(socket));

const showsCertificate = (socket: TLSSocket) => Boolean(socket.getPeerCertificate(true)?.raw);

Deno.test("rejectConnections() closes a connection while its certificate can be read", async () => {
  const shown = await refused({ rejectUnauthorized: false }, (server, observe) => {
    rejectConnections(server, (socket) => socket.authorized ? undefined : "not accepted");
    onFailure(server, observe);
  }, showsCertificate);
  assert.equal(shown, true);
});

Deno.test("rejectConnections() is still needed because Deno hides the certificate of a refused connection", async () => {
  assert.equal(await refused({ rejectUnauthorized: true }, onFailure, showsCertificate), false);
});

Deno.test("tcpSocketOf() is still needed because a TLS socket has its TCP socket only in a private field", async () => {
  const [found, names] = await refused(
    { rejectUnauthorized: false },
    (server, observe) => void server.prependListener("secureConnection", observe),
    (socket) => [tcpSocketOf(socket), Object.keys(socket).filter((name) => !name.startsWith("_"))] as const,
  );
  assert.ok(found !== undefined);
  assert.ok(!names.some((name) => /parent|socket/i.test(name)), `${names}`);
});

Deno.test("captureServer() is still needed because grpc-js returns only a function for connections", async () => {
  const server = new grpc.Server();
  const pair = { private_key: Buffer.from(serverCertificate.key), cert_chain: Buffer.from(serverCertificate.cert) };
  const credentials = grpc.ServerCredentials.createSsl(Buffer.from(ca.cert), [pair], true);
  await import("../../../rpc/server/tls.ts");
  const { made, server: found } = captureServer(() => server.createConnectionInjector(credentials));
  assert.deepEqual(Object.keys(made).sort(), ["destroy", "drain", "injectConnection"]);
  assert.equal(typeof found.setTimeout, "function");
  made.destroy();
  server.forceShutdown();
});

Deno.test("captureServer() reports that no server was created", () => {
  assert.throws(() => captureServer(() => 1), /its connection injector has changed/);
});
