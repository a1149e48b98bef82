/** Tests of new certificates, with TLS and openssl. */
import assert from "node:assert/strict";
import { createAuthority } from "../../certs/authority.ts";
import { createCertificate, type KeyPair } from "../../certs/certificate.ts";
import { firstCertificate, inspectCertificate } from "../../certs/inspect.ts";
import { lifetime } from "../../certs/lifetime.ts";
import { openssl, refuses, withOpenssl } from "../support/certs.ts";
import { tempDir } from "../support/temp_dir.ts";

const validity = lifetime({ kind: "client" });
const past = { notBefore: new Date("2020-01-01T00:00:00Z"), notAfter: new Date("2020-02-01T00:00:00Z") };

Deno.test("createCertificate() puts only user and roles into a client certificate", async () => {
  const issuer = await createAuthority(validity);
  const roles = ["operator", "viewer"];
  const { certificate } = await createCertificate({
    usage: "client",
    commonName: "ann",
    organizations: roles,
    validity,
    issuer,
  });
  const { serialNumber, fingerprint, ...rest } = await inspectCertificate(certificate);
  assert.deepEqual(rest, {
    commonNames: ["ann"],
    organizations: roles,
    hosts: [],
    isAuthority: false,
    issuer: firstCertificate(issuer.certificate).subject.text,
    keyAlgorithm: "P-256",
    usages: ["client"],
    ...validity,
  });
  assert.match(serialNumber, /^[4-7][0-9A-F]{31}$/);
  assert.match(fingerprint, /^[0-9a-f]{64}$/);
});

Deno.test("createCertificate() does not interpret the text of a subject", async () => {
  const commonName = 'a,O=admin+CN="x"\\0a#04';
  const organizations = ["#0c0161", "\u00e9,\n", ""];
  const { certificate } = await createCertificate({ usage: "client", commonName, organizations, validity });
  const details = await inspectCertificate(certificate);
  assert.deepEqual(details.commonNames, [commonName]);
  assert.deepEqual(details.organizations, organizations);
});

Deno.test("createCertificate() accepts no user, no roles, and a thousand roles", async () => {
  const none = await createCertificate({ usage: "client", commonName: "", validity });
  const details = await inspectCertificate(none.certificate);
  assert.deepEqual([details.commonNames, details.organizations], [[], []]);
  const organizations = Array.from({ length: 1000 }, (_, index) => `role${index}`);
  const many = await createCertificate({ usage: "client", commonName: "ann", organizations, validity });
  assert.deepEqual((await inspectCertificate(many.certificate)).organizations, organizations);
});

Deno.test("createCertificate() uses a new serial number and key for each certificate", async () => {
  const made = await Promise.all([1, 2, 3].map(() => createAuthority(validity)));
  const details = await Promise.all(made.map(({ certificate }) => inspectCertificate(certificate)));
  assert.equal(new Set(details.map(({ serialNumber }) => serialNumber)).size, 3);
  assert.equal(new Set(details.map(({ commonNames }) => commonNames[0])).size, 3);
  assert.equal(new Set(made.map(({ key }) => key)).size, 3);
});

Deno.test("createCertificate() refuses an invalid host", async () => {
  const work = () => createCertificate({ usage: "server", commonName: "server", hosts: ["a b"], validity });
  await refuses(work, "INVALID_ARGUMENT", /^'--host' must be .*, got "a b"$/);
});

Deno.test("inspectCertificate() refuses other texts", async () => {
  const { key } = await createAuthority(validity);
  for (const text of ["", "hello", key, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]) {
    await refuses(() => inspectCertificate(text), "UNUSABLE", /^Cannot read the certificate/);
  }
});

Deno.test("a TLS client accepts a server by each of its names and refuses another name", async () => {
  const issuer = await createAuthority(validity);
  const hosts = ["localhost", "jobs.example.org"];
  const server = await createCertificate({ usage: "server", commonName: "server", hosts, validity, issuer });
  for (const name of hosts) await handshake(server, issuer, name);
  await assert.rejects(handshake(server, issuer, "other.example.org"), /not valid for name/);
});

Deno.test("a TLS client refuses servers that are expired, foreign, self-signed or clients", async () => {
  const issuer = await createAuthority(validity);
  const foreign = await createAuthority(validity);
  const base = { usage: "server", commonName: "server", hosts: ["localhost"], validity, issuer } as const;
  await handshake(await createCertificate(base), issuer, "localhost");

  const { issuer: _, ...selfSigned } = base;
  for (
    const [options, reason] of [
      [{ ...base, validity: past }, /certificate expired/],
      [{ ...base, issuer: foreign }, /UnknownIssuer/],
      [selfSigned, /UnknownIssuer|CaUsedAsEndEntity/],
      [{ ...base, usage: "client" }, /InvalidPurpose|not valid for|purpose|extended key usage/i],
    ] as const
  ) {
    await assert.rejects(handshake(await createCertificate(options), issuer, "localhost"), reason);
  }
});

/** Connects to a server with this certificate, as a client that trusts this authority. */
async function handshake(server: KeyPair, authority: KeyPair, name: string): Promise<void> {
  using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert: server.certificate, key: server.key });
  const accepted = listener.accept().then(async (connection) => {
    using _ = connection;
    await connection.handshake().catch(() => {});
  });
  const plain = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  try {
    using connection = await Deno.startTls(plain, { hostname: name, caCerts: [authority.certificate] });
    await connection.handshake();
  } finally {
    await accepted;
  }
}

Deno.test(withOpenssl("createCertificate() follows RFC 5280 for an authority, a server and a client"), async () => {
  await using dir = await tempDir();
  const issuer = await createAuthority(validity);
  const hosts = ["localhost", "192.0.2.7", "2001:db8::7"];
  const text = async (pair: KeyPair) => {
    await Deno.writeTextFile(`${dir.path}/one.crt`, pair.certificate);
    return (await openssl("x509", "-in", `${dir.path}/one.crt`, "-noout", "-text")).text.replaceAll(/\s+/g, " ");
  };

  const ofAuthority = await text(issuer);
  assert.match(ofAuthority, /Basic Constraints: critical CA:TRUE, pathlen:0 /);
  assert.match(ofAuthority, /Key Usage: critical Certificate Sign, CRL Sign /);
  assert.doesNotMatch(ofAuthority, /Extended Key Usage/);
  const keyId = /Subject Key Identifier: ([0-9A-F:]{59}) /.exec(ofAuthority)?.[1];

  const ofServer = await text(
    await createCertificate({ usage: "server", commonName: "server", hosts, validity, issuer }),
  );
  assert.match(ofServer, /Signature Algorithm: ecdsa-with-SHA256/);
  assert.match(ofServer, /NIST CURVE: P-256/);
  assert.match(ofServer, /Basic Constraints: critical CA:FALSE X509v3 Key Usage: critical Digital Signature X509v3/);
  assert.match(ofServer, /Extended Key Usage: TLS Web Server Authentication X509v3/);
  assert.match(ofServer, /DNS:localhost, IP Address:192\.0\.2\.7, IP Address:2001:DB8:0:0:0:0:0:7 /);
  assert.match(ofServer, new RegExp(`Authority Key Identifier: (keyid:)?${keyId}`));

  const ofClient = await text(
    await createCertificate({ usage: "client", commonName: "ann", organizations: ["a", "b"], validity, issuer }),
  );
  assert.match(ofClient, /Subject: O ?= ?a, O ?= ?b, CN ?= ?ann /);
  assert.match(ofClient, /Extended Key Usage: TLS Web Client Authentication X509v3/);
  assert.doesNotMatch(ofClient, /Alternative Name/);
});

Deno.test(
  withOpenssl("openssl accepts a leaf for its own purpose only, and no certificate that a leaf signed"),
  async () => {
    await using dir = await tempDir();
    const issuer = await createAuthority(validity);
    const server = await createCertificate({ usage: "server", commonName: "server", validity, issuer });
    const client = await createCertificate({ usage: "client", commonName: "ann", validity, issuer });
    const expired = await createCertificate({ usage: "client", commonName: "ann", validity: past, issuer });
    const belowLeaf = await createCertificate({ usage: "client", commonName: "ann", validity, issuer: client });
    for (const [name, pair] of Object.entries({ issuer, server, client, expired, belowLeaf })) {
      await Deno.writeTextFile(`${dir.path}/${name}`, pair.certificate);
    }
    const verify = (purpose: string, name: string) =>
      openssl(
        ...["verify", "-x509_strict", "-CAfile", `${dir.path}/issuer`, "-untrusted", `${dir.path}/client`],
        ...["-purpose", purpose, `${dir.path}/${name}`],
      );
    for (
      const [purpose, name, verdict] of [
        ["sslserver", "server", /OK/],
        ["sslclient", "client", /OK/],
        ["sslclient", "server", /unsuitable certificate purpose|unsupported certificate purpose/],
        ["sslserver", "client", /unsuitable certificate purpose|unsupported certificate purpose/],
        ["sslclient", "expired", /has expired/],
        ["sslclient", "belowLeaf", /invalid CA certificate/],
      ] as const
    ) {
      const { success, text } = await verify(purpose, name);
      assert.match(text, verdict, `${name} as ${purpose}`);
      assert.equal(success, verdict.source === "OK", `${name} as ${purpose}: ${text}`);
    }
  },
);
