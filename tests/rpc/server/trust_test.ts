/** Tests of rpc/server/trust.ts. */
import assert from "node:assert/strict";
import { readCertificate } from "../../../rpc/shared/peer.ts";
import { Trust } from "../../../rpc/server/trust.ts";
import { ca, clientCertificate, issue, type Issued, otherCa, revocationOf } from "../../support/certificates.ts";

const subject = [["O", "admin"], ["CN", "ann"]] as const;
const read = ({ certificate }: Issued) => readCertificate(new Uint8Array(certificate.rawData));

/** Returns why a certificate is refused. Undefined when it is accepted. */
function rejection(trust: Trust, own: Issued): string | undefined {
  try {
    trust.check(read(own));
    return undefined;
  } catch (error) {
    assert.equal((error as { code: string }).code, "UNAUTHENTICATED");
    return (error as Error).message;
  }
}

Deno.test("check() accepts certificates that a known authority has signed, and no others", async () => {
  const trust = new Trust(`${otherCa.cert}\n${ca.cert}`, new Set());
  assert.equal(rejection(trust, clientCertificate), undefined);
  assert.equal(rejection(trust, await issue({ subject, usage: "client", issuer: otherCa })), undefined);
  assert.match(
    rejection(trust, await issue({ subject, usage: "client" }))!,
    /is issued by "O=admin, CN=ann", which is not an accepted authority: ask for a new/,
  );
  // Its issuer has the name of the authority, and another key.
  const namesake = await issue({ subject: [["CN", "an authority"]], usage: "ca" });
  assert.match(
    rejection(trust, await issue({ subject, usage: "client", issuer: namesake }))!,
    /is not signed by the authority of that name, "CN=an authority"/,
  );
});

Deno.test("check() refuses a certificate that has expired since the connection was made", async () => {
  const trust = new Trust(ca.cert, new Set());
  const ended = await issue({ subject, usage: "client", issuer: ca, from: -2, until: -1 });
  assert.match(
    rejection(trust, ended)!,
    /^The certificate "O=admin, CN=ann" with serial number [0-9A-F]+ ended on "\d{4}-\d\d-\d\d": ask/,
  );
});

Deno.test("replace() discards earlier judgements", () => {
  const trust = new Trust(ca.cert, new Set());
  const certificate = read(clientCertificate);
  assert.equal(trust.accepts(certificate), true);
  trust.replace(otherCa.cert, new Set());
  assert.equal(trust.accepts(certificate), false);
  trust.replace(ca.cert, new Set([revocationOf(clientCertificate)]));
  assert.deepEqual([trust.accepts(certificate), trust.isRevoked(certificate)], [false, true]);
  trust.replace(ca.cert, new Set());
  assert.equal(trust.accepts(certificate), true);
});
