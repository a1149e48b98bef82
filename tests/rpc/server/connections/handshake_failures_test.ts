/** Tests of rpc/server/connections/handshake_failures.ts. */
import assert from "node:assert/strict";
import { connect as connectTls } from "node:tls";
import type { HandshakeFailure, TlsCredentials } from "../../../../rpc/server/server.ts";
import { ca, credentials, issue, otherCa } from "../../../support/certificates.ts";
import { connectTo, failure, serveLocally } from "../../../support/rpc_server.ts";
import { eventually } from "../../../support/deadline.ts";

/** Makes one call on a new connection. Returns its status. */
async function statusOf(server: { port: number }, own: TlsCredentials): Promise<string> {
  await using client = connectTo(server, own);
  return (await failure(client.calls.Status({}))).status;
}

Deno.test("serve() reports every failed handshake with its peer and reason", async () => {
  const reported: HandshakeFailure[] = [];
  await using server = await serveLocally({ Status: ({ id }) => Promise.resolve({ id }) }, {
    onHandshakeFailure: (failed) => void reported.push(failed),
  });
  // A client may try more than once, so this waits for a report and not for a number of them.
  const isReported = (reason: RegExp) =>
    eventually(() => reported.some((failed) => reason.test(failed.reason)), `a report like ${reason}`);
  const selfSigned = await issue({ subject: [["O", "admin"], ["CN", "mallory"]], usage: "client" });
  assert.equal(await statusOf(server, credentials(ca, selfSigned)), "UNAVAILABLE");
  await isReported(
    /^The certificate "O=admin, CN=mallory" .* is issued by "O=admin, CN=mallory", which is not an accepted authority/,
  );
  const foreign = await issue({ subject: [["O", "admin"], ["CN", "bob"]], usage: "client", issuer: otherCa });
  assert.equal(await statusOf(server, credentials(ca, foreign)), "UNAVAILABLE");
  await isReported(
    /^The certificate "O=admin, CN=bob" .* is issued by "CN=another authority", which is not an accepted authority/,
  );
  const socket = connectTls({ port: server.port, host: "127.0.0.1", servername: "localhost", ca: ca.cert });
  socket.on("error", () => {});
  await isReported(/^No certificate was shown/);
  socket.destroy();
  for (const { peer } of reported) assert.match(peer, /^127\.0\.0\.1:\d+$/);
});
