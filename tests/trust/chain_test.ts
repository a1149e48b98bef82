/** Tests of chain verification: each link, date and use, with its reason. */
import assert from "node:assert/strict";
import { withOpenssl } from "../support/certs.ts";
import { ca, clientCertificate, issue, type Issued, otherCa } from "../support/certificates.ts";
import { cpuMs } from "../support/cpu_time.ts";
import { connectTo, failure, serveLocally } from "../support/rpc_server.ts";
import { readCertificate } from "../../trust/certificate.ts";
import { verifyChain } from "../../trust/chain.ts";
import type { ChainFault } from "../../trust/chain_faults.ts";
import { certificatesDer } from "../../trust/pem.ts";
import { AUTHORITY, CLIENT, ED25519, openWorkshop, P256, P384, P521, RSA, SERVER } from "./chain_fixture.ts";

const subject = [["O", "admin"], ["CN", "ann"]] as const;
const read = ({ certificate }: Issued) => readCertificate(new Uint8Array(certificate.rawData));
const client = (issuer: Issued, more: { from?: number; until?: number } = {}) =>
  issue({ subject, usage: "client", issuer, ...more });
const authority = (name: string, issuer?: Issued, more: { from?: number; until?: number } = {}) =>
  issue({ subject: [["CN", name]], usage: "ca", ...(issuer && { issuer }), ...more });

const between = await authority("between", ca);
const lower = await authority("lower", between);
const ended = await authority("ended", ca, { from: -3, until: -1 });
const endedRoot = await authority("ended root", undefined, { from: -3_000, until: -1 });
const coming = await authority("coming", ca, { from: 1, until: 3 });
const old = await authority("old", ca, { from: -25_000 });
const namesake = await authority("an authority");

const refused: [string, Issued[], Issued[], ChainFault, RegExp][] = [
  ["another authority's", [await client(otherCa)], [ca], "UNKNOWN_AUTHORITY", /issued by "CN=another authority"/],
  [
    "one that signed itself",
    [await issue({ subject, usage: "client" })],
    [ca],
    "UNKNOWN_AUTHORITY",
    /"O=admin, CN=ann"/,
  ],
  ["a namesake's", [await client(namesake)], [ca], "BAD_SIGNATURE", /not signed by the authority of that name/],
  ["without its intermediate", [await client(between)], [ca], "UNKNOWN_AUTHORITY", /issued by "CN=between"/],
  [
    "without the second intermediate",
    [await client(lower), lower],
    [ca],
    "UNKNOWN_AUTHORITY",
    /"CN=lower".* issued by/,
  ],
  ["ended", [await client(ca, { from: -3, until: -1 })], [ca], "ENDED", /"O=admin, CN=ann".* ended on "\d{4}-/],
  ["not yet valid", [await client(ca, { from: 1, until: 3 })], [ca], "NOT_YET_VALID", /is not valid before "/],
  ["under an ended intermediate", [await client(ended), ended], [ca], "ENDED", /certificate "CN=ended" .* ended on "/],
  ["under an ended root", [await client(endedRoot)], [endedRoot], "ENDED", /certificate "CN=ended root" .* ended on "/],
  ["under a coming intermediate", [await client(coming), coming], [ca], "NOT_YET_VALID", /"CN=coming"/],
  [
    "under a user",
    [await client(clientCertificate), clientCertificate],
    [ca],
    "NOT_AUTHORITY",
    /not one of an authority/,
  ],
  ["of a server", [await issue({ subject, usage: "server", issuer: ca })], [ca], "WRONG_USE", /not one for a client/],
  ["of an authority", [between], [ca], "WRONG_USE", /"CN=between".* is one of an authority, not of a client$/],
  [
    "from before 1970",
    [await client(ca, { from: -25_000 })],
    [ca],
    "NOT_JUDGED",
    /"O=admin, CN=ann".* begins in 195\d/,
  ],
  ["under an intermediate from before 1970", [await client(old), old], [ca], "NOT_JUDGED", /"CN=old".* begins in 195/],
];

for (const [kind, chain, authorities, fault, reason] of refused) {
  Deno.test(`verifyChain() refuses a certificate ${kind}`, () => {
    const verdict = verifyChain(chain.map(read), authorities.map(read), "client");
    assert.ok(!verdict.isTrusted);
    assert.equal(verdict.fault, fault);
    assert.match(verdict.reason, reason);
  });
}

Deno.test({
  ...withOpenssl("verifyChain() refuses certificates of version 1, as TLS does"),
  fn: async () => {
    await using workshop = await openWorkshop();
    await workshop.root("root", P256);
    await workshop.issue("plain", "root", P256, []);
    const [plain, root] = certificatesDer(await workshop.pem("plain", "root")).map(readCertificate);
    const verdict = verifyChain([plain!], [root!], "client");
    assert.ok(!verdict.isTrusted);
    assert.match(verdict.reason, /"O=admin, CN=plain".* has the X.509 version 1, and TLS accepts only version 3$/);
  },
});

Deno.test("verifyChain() follows intermediates in any order, and finds the valid one of two paths", async () => {
  const leaf = await client(lower);
  for (
    const others of [[lower, between], [between, lower], [otherCa, lower, namesake, between], [lower, between, ca]]
  ) {
    const verdict = verifyChain([leaf, ...others].map(read), [otherCa, ca].map(read), "client");
    assert.ok(verdict.isTrusted);
    assert.deepEqual(verdict.path.map(({ subject }) => subject.text), [
      "O=admin, CN=ann",
      "CN=lower",
      "CN=between",
      "CN=an authority",
    ]);
    assert.equal(verdict.untilMs, Math.min(...verdict.path.map(({ notAfter }) => notAfter.getTime())));
  }
});

Deno.test("verifyChain() verifies a limited number of signatures", async () => {
  const leaf = await client(await authority("many"));
  const many = await Promise.all(Array.from({ length: 40 }, () => authority("many")));
  const beginMs = cpuMs();
  const verdict = verifyChain([leaf, ...many].map(read), [read(ca)], "client");
  assert.ok(!verdict.isTrusted);
  assert.ok(cpuMs() - beginMs < 5_000, `${cpuMs() - beginMs} ms of processor time`);
});

Deno.test(
  withOpenssl("a leaf and an intermediate in one file work for both sides, with every kind of key"),
  async () => {
    await using made = await openWorkshop();
    const kinds = [["root-rsa", RSA, P384], ["root-p521", [...P521, "-sha512"], [...P521, "-sha512"]], [
      "root-ed",
      ED25519,
      P256,
    ]] as const;
    for (const [root, rootKey, intermediateKey] of kinds) {
      const intermediate = `${root}-issuing`;
      await made.root(root, rootKey);
      await made.issue(intermediate, root, intermediateKey, AUTHORITY);
      await made.issue(`${root}-server`, intermediate, [...P256, "-sha512"], SERVER);
      await made.issue(`${root}-client`, intermediate, [...P256, "-sha512"], CLIENT);
      const part = async (name: string) => ({
        ca: await made.pem(root),
        cert: await made.pem(name, intermediate),
        key: await made.key(name),
      });
      await using server = await serveLocally({ Status: ({ id }) => Promise.resolve({ id }) }, {
        credentials: await part(`${root}-server`),
      });
      await using client = connectTo(server, await part(`${root}-client`));
      assert.equal((await client.calls.Status({ id: root })).id, root);
      // Without the intermediate, each side names the certificate that it does not accept.
      const alone = { ...await part(`${root}-client`), cert: await made.pem(`${root}-client`) };
      await using refusedClient = connectTo(server, alone);
      assert.match((await failure(refusedClient.calls.Status({ id: "" }))).message, /does not accept this client's/);
    }
  },
);

Deno.test(
  withOpenssl("verifyChain() refuses paths that are too long, name constraints and authorities that may not sign"),
  async () => {
    await using made = await openWorkshop();
    await made.root("root", P256);
    await made.issue("first", "root", P256, AUTHORITY);
    await made.issue("second", "first", P256, AUTHORITY);
    await made.issue("leaf", "second", P256, CLIENT);
    await made.issue("constrained", "root", P256, [...AUTHORITY, "nameConstraints=critical,permitted;DNS:example.org"]);
    await made.issue("below", "constrained", P256, CLIENT);
    await made.issue("nosign", "root", P256, ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,cRLSign"]);
    await made.issue("unsigned", "nosign", P256, CLIENT);
    const faultOf = async (...names: string[]) => {
      const chain = (await made.pem(...names)).match(/-----BEGIN[^]*?END CERTIFICATE-----/g)!;
      const certificates = chain.map((pem) =>
        readCertificate(Uint8Array.fromBase64(pem.replace(/-----[^-]*-----|\n/g, "")))
      );
      const verdict = verifyChain(certificates.slice(0, -1), certificates.slice(-1), "client");
      return verdict.isTrusted ? "none" : verdict.fault;
    };
    assert.equal(await faultOf("leaf", "second", "first", "root"), "PATH_TOO_LONG");
    assert.equal(await faultOf("below", "constrained", "root"), "NOT_JUDGED");
    assert.equal(await faultOf("unsigned", "nosign", "root"), "NOT_AUTHORITY");
  },
);

Deno.test(
  withOpenssl("a server refuses to start with an authority whose signatures it cannot verify"),
  async () => {
    await using made = await openWorkshop();
    await made.root("root", [...P521, "-sha256"]);
    await made.issue("leaf", "root", P256, SERVER);
    const part = { ca: await made.pem("root"), cert: await made.pem("leaf"), key: await made.key("leaf") };
    const wanted = /certificate "O=Example, CN=root" .* signed with SHA-256 by a P-521 key, which cannot be verified/;
    await assert.rejects(serveLocally({}, { credentials: part }), { name: "TlsCredentialsError", message: wanted });
  },
);
