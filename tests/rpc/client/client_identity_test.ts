/** Tests of rpc/client/client_identity.ts: the error names the client's own certificate. The server gives no reason. */
import assert from "node:assert/strict";
import { ca, credentials, issue, type Issued, otherCa, serverCredentials } from "../../support/certificates.ts";
import { connectTo, failure, serveLocally } from "../../support/rpc_server.ts";
import { deadline } from "../../support/deadline.ts";

const subject = [["O", "admin"], ["CN", "ann"]] as const;
const between = await issue({ subject: [["CN", "between"]], usage: "ca", issuer: ca });
const narrow = await issue({ subject: [["CN", "narrow"]], usage: "ca", purpose: "server", issuer: ca });
const below = (own: Issued, issuer: Issued): Issued => ({ ...own, cert: `${own.cert}\n${issuer.cert}` });
const client = (issuer: Issued) => issue({ subject, usage: "client", issuer });

const refused: [string, Issued, RegExp][] = [
  [
    "of another authority",
    await client(otherCa),
    /"O=admin, CN=ann" .* is issued by "CN=another authority", which is not /,
  ],
  ["without its intermediate", await client(between), /CN=ann" .* by "CN=between", .*: if it needs intermediate/],
  [
    "of a server",
    await issue({ subject, usage: "server", issuer: ca }),
    /"O=admin, CN=ann" .* is not one for a client/,
  ],
  ["under an authority for servers", below(await client(narrow), narrow), /"CN=narrow" .* is not one for a client/],
  ["that belongs to an authority", between, /"CN=between" .* is one of an authority, not of a client/],
];
for (const [kind, own, reason] of refused) {
  Deno.test(`a call names the client's certificate ${kind} and the reason, as the server does`, async () => {
    const reported: string[] = [];
    await using server = await serveLocally({}, { onHandshakeFailure: ({ reason }) => reported.push(reason) });
    await using client = connectTo(server, credentials(ca, own));
    const failed = await failure(client.calls.Status({ id: "" }));
    assert.equal(failed.status, "UNAVAILABLE");
    assert.equal((failed as { unreachable?: string }).unreachable, "CLIENT_CERTIFICATE_REFUSED");
    assert.match(failed.message, /does not accept this client's certificate: .*: the certificate "/);
    assert.match(failed.message, new RegExp(reason.source, "s"));
    assert.ok(reported.length > 0);
    for (const line of reported) {
      assert.match(failed.message.toLowerCase(), new RegExp(line.slice(4, 40).toLowerCase()));
    }
  });
}

Deno.test("a lost connection does not name the client's certificate when only the server knows its authority", async () => {
  const both = { ...serverCredentials, ca: `${ca.cert}\n${otherCa.cert}` };
  const ended: PromiseWithResolvers<never> = Promise.withResolvers();
  const status = () => ended.promise;
  const begun = Promise.withResolvers<void>();
  await using server = await serveLocally({
    Status: () => {
      begun.resolve();
      return status();
    },
  }, { credentials: both });
  await using client = connectTo(server, credentials(ca, await issue({ subject, usage: "client", issuer: otherCa })));
  const call = failure(client.calls.Status({ id: "" }));
  await deadline(begun.promise);
  await server[Symbol.asyncDispose]();
  const failed = await call;
  ended.reject(new Error("over"));
  assert.doesNotMatch(failed.message, /certificate/);
});
