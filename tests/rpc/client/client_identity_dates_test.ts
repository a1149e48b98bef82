/** Tests of rpc/client/client_identity.ts: the error names the dates of the client's own certificate. */
import assert from "node:assert/strict";
import { ca, credentials, issue } from "../../support/certificates.ts";
import { connectTo, failure, serveLocally } from "../../support/rpc_server.ts";

const subject = [["O", "admin"], ["CN", "ann"]] as const;
const cases: [string, { from: number; until: number }, RegExp][] = [
  ["has expired", { from: -3, until: -1 }, /the certificate "O=admin, CN=ann" .* ended on "\d{4}-\d\d-\d\d"$/],
  ["is not valid yet", { from: 1, until: 3 }, /"O=admin, CN=ann" .* is not valid before ".*", and the clock says "/],
];

for (const [kind, dates, reason] of cases) {
  Deno.test(`a call reports that the client's certificate ${kind}, and the server reports the same`, async () => {
    const reported: string[] = [];
    await using server = await serveLocally({}, { onHandshakeFailure: ({ reason }) => reported.push(reason) });
    await using client = connectTo(
      server,
      credentials(ca, await issue({ subject, usage: "client", issuer: ca, ...dates })),
    );
    const failed = await failure(client.calls.Status({ id: "" }));
    assert.equal(failed.status, "UNAVAILABLE");
    assert.equal((failed as { unreachable?: string }).unreachable, "CLIENT_CERTIFICATE_NOT_VALID_NOW");
    assert.match(failed.message, /does not accept this client's certificate: .*/);
    assert.match(failed.message, reason);
    assert.ok(reported.length > 0);
    for (const line of reported) {
      assert.match(line, /^The certificate "O=admin, CN=ann" .* (ended on|is not valid before) "/);
    }
  });
}
