/** Tests of rpc/server/connections/handshake_failures.ts. */
import assert from "node:assert/strict";
import { connect as connectTls } from "node:tls";
import type { HandshakeFailure, TlsCredentials } from "../../../../rpc/server/server.ts";
import { ca, credentials, issue, otherCa } from "../../../support/certificates.ts";
import { connectTo, failure, serveLocally } from "../../../support/rpc_server.ts";
import { deadline } from "../../../support/deadline.ts";

/** Makes one call on a new connection. Returns its status. */
async function statusOf(server: { port: number }, own: TlsCredentials): Promise<string> {
  await using client = connectTo(server, own);
  return (await failure(client.calls.Status({}))).status;
}

Deno.test("serve() reports every failed handshake with its peer and reason", async () => {
  const reported: HandshakeFailure[] = [];
  let wake = Promise.withResolvers<void>();
  await using server = await serveLocally({ Status: ({ id }) => Promise.resolve({ id }) }, {
    onHandshakeFailure: (failed) => {
      reported.push(failed);
      wake.resolve();
    },
  });
  const foreign = await issue({ subject: [["O", "admin"], ["CN", "bob"]], usage: "client", issuer: otherCa });
  const selfSigned = await issue({ subject: [["O", "admin"], ["CN", "mallory"]], usage: "client" });
  for (const wrong of [credentials(ca, selfSigned), credentials(ca, foreign)]) {
    wake = Promise.withResolvers();
    assert.equal(await statusOf(server, wrong), "UNAVAILABLE");
    await deadline(wake.promise);
  }
  wake = Promise.withResolvers();
  const socket = connectTls({ port: server.port, host: "127.0.0.1", servername: "localhost", ca: ca.cert });
  socket.on("error", () => {});
  await deadline(wake.promise);
  socket.destroy();
  assert.equal(reported.length, 3);
  for (const { peer } of reported) assert.match(peer, /^127\.0\.0\.1:\d+$/);
  const reasons = [
    /^The certificate "O=admin, CN=mallory" .* is issued by "O=admin, CN=mallory", which is not an accepted authority/,
    /^The certificate "O=admin, CN=bob" .* is issued by "CN=another authority", which is not an accepted authority/,
    /^No certificate was shown/,
  ];
  for (const [index, { reason }] of reported.entries()) assert.match(reason, reasons[index]!);
});
