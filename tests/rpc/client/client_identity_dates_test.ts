/** A client whose own certificate is out of its dates says so, and blames neither server nor network. */
import assert from "node:assert/strict";
import { ca, credentials, issue } from "../../support/certificates.ts";
import { connectTo, failure, serveLocally } from "../../support/rpc_server.ts";

const subject = [["O", "admin"], ["CN", "ann"]] as const;
const cases: [string, { from: number; until: number }, RegExp][] = [
  ["ended", { from: -3, until: -1 }, /the certificate "O=admin, CN=ann" .* ended on "\d{4}-\d\d-\d\d"$/],
  ["has yet to begin", { from: 1, until: 3 }, /"O=admin, CN=ann" .* is not valid before ".*", and the clock says "/],
];

for (const [kind, dates, reason] of cases) {
  Deno.test(`a client says that its certificate ${kind}, and the server's record too`, async () => {
    const told: string[] = [];
    await using server = await serveLocally({}, { onHandshakeFailure: ({ reason }) => told.push(reason) });
    await using client = connectTo(
      server,
      credentials(ca, await issue({ subject, usage: "client", issuer: ca, ...dates })),
    );
    const failed = await failure(client.calls.Status({ id: "" }));
    assert.equal(failed.status, "UNAVAILABLE");
    assert.equal((failed as { unreachable?: string }).unreachable, "CLIENT_CERTIFICATE_NOT_VALID_NOW");
    assert.match(failed.message, /does not accept this client's certificate: .*/);
    assert.match(failed.message, reason);
    assert.ok(told.length > 0);
    for (const line of told) {
      assert.match(line, /^The certificate "O=admin, CN=ann" .* (ended on|is not valid before) "/);
    }
  });
}
