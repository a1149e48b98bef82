/** Tests of rpc/client/server_identity.ts. */
import assert from "node:assert/strict";
import { connect } from "../../../rpc/client/client.ts";
import { ca, clientCredentials, credentials, issue, otherCa } from "../../support/certificates.ts";
import { failure, serveLocally } from "../../support/rpc_server.ts";

const hosts = ["localhost", "127.0.0.1", "::1"];
const expired = await issue({ subject: [["CN", "s"]], usage: "server", hosts, issuer: ca, from: -2, until: -1 });
const misnamed = await issue({
  subject: [["CN", "s"]],
  usage: "server",
  hosts: ["other.test", "127.0.0.2"],
  issuer: ca,
});
const nameless = await issue({ subject: [["CN", "localhost"]], usage: "server", issuer: ca });
const foreign = await issue({ subject: [["CN", "s"]], usage: "server", hosts, issuer: otherCa });
const clients = await issue({ subject: [["CN", "localhost"]], usage: "client", hosts, issuer: ca });

const distrusted: [string, typeof expired, string[], RegExp][] = [
  ["is for other hosts", misnamed, ["127.0.0.1", "localhost"], /its certificate is not for "(127\.0\.0\.1|localhost)"/],
  ["names a host as its subject alone", nameless, ["127.0.0.1"], /its certificate is not for "127\.0\.0\.1"/],
  [
    "another authority has signed",
    foreign,
    ["127.0.0.1", "localhost"],
    /not valid under the CA that this client trusts/,
  ],
  ["has expired", expired, ["127.0.0.1"], /certificate .*has expired/],
  ["is for clients", clients, ["127.0.0.1", "localhost"], /Cannot reach the server/],
];

for (const [what, certificate, targets, pattern] of distrusted) {
  Deno.test(`a client refuses a server whose certificate ${what}`, async () => {
    let reached = 0;
    await using server = await serveLocally({ Status: () => Promise.resolve({ pid: ++reached }) }, {
      credentials: credentials(ca, certificate),
    });
    for (const host of targets) {
      await using client = connect({ address: `${host}:${server.port}`, credentials: clientCredentials });
      const { status, message } = await failure(client.calls.Status({}));
      assert.equal(status, "UNAVAILABLE");
      assert.match(message, pattern);
    }
    assert.equal(reached, 0);
  });
}
