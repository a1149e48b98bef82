/** Tests of requests with every kind of key: a certificate if TLS supports it, otherwise the reason. */
import assert from "node:assert/strict";
import { initDirectory } from "../../certs/init.ts";
import { issueClient } from "../../certs/issue.ts";
import { openssl, refuses, snapshot, withOpenssl } from "../support/certs.ts";
import { tempDir } from "../support/temp_dir.ts";

/** The openssl arguments of each key, and the reason of the refusal; undefined for a supported key. */
const kinds: [string, string[], RegExp | undefined, string[]?][] = [
  ["Ed25519", ["genpkey", "-algorithm", "ed25519"], undefined],
  ["P-256", ["ecparam", "-name", "prime256v1", "-genkey", "-noout"], undefined],
  ["P-384", ["ecparam", "-name", "secp384r1", "-genkey", "-noout"], undefined],
  ["P-521", ["ecparam", "-name", "secp521r1", "-genkey", "-noout"], undefined, ["-sha512"]],
  ["RSA", ["genrsa", "2048"], undefined],
  ["RSA of 1024 bits", ["genrsa", "1024"], /has an RSA key of 1024 bits/],
  ["RSA of 4104 bits", ["genrsa", "4104"], /has an RSA key of 4104 bits, not of 2048 to 4096/],
  [
    "RSA-PSS",
    ["genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"],
    /a key of the kind RSA-PSS, not/,
  ],
  ["Ed448", ["genpkey", "-algorithm", "ed448"], /a key of the kind Ed448, not RSA, ECDSA or Ed25519/],
  ["secp256k1", ["ecparam", "-name", "secp256k1", "-genkey", "-noout"], /on the curve secp256k1, not on P-256/],
  ["P-224", ["ecparam", "-name", "secp224r1", "-genkey", "-noout"], /on the curve P-224, not on P-256/],
  [
    "a curve without a name",
    ["ecparam", "-name", "prime256v1", "-param_enc", "explicit", "-genkey", "-noout"],
    /a key with a curve that has no name/,
  ],
  ["P-521 and SHA-256", ["ecparam", "-name", "secp521r1", "-genkey", "-noout"], /SHA-256 by a P-521 key/, ["-sha256"]],
  ["SHA-1", ["genrsa", "2048"], /signed with SHA-1, which can be forged/, ["-sha1"]],
];

for (const [kind, make, refusal, more = []] of kinds) {
  const what = refusal === undefined ? "makes a certificate for" : "refuses, with the true reason,";
  Deno.test(withOpenssl(`issueClient() ${what} a request with ${kind}`), async () => {
    await using dir = await tempDir();
    await initDirectory({ dir: dir.path });
    const key = `${dir.path}/its.pem`;
    // The number of bits must be the last argument of openssl.
    const [command = "", ...options] = make;
    const made = await openssl(
      command,
      ...(command === "genrsa" ? ["-out", key, ...options] : [...options, "-out", key]),
    );
    assert.ok(made.success, made.text);
    const asked = await openssl(
      "req",
      "-new",
      "-key",
      key,
      "-subj",
      "/CN=root/O=admin",
      ...more,
      "-out",
      `${dir.path}/csr`,
    );
    assert.ok(asked.success, asked.text);
    const request = await Deno.readTextFile(`${dir.path}/csr`);
    const issue = () => issueClient({ dir: dir.path, name: "eva", roles: ["viewer"], request });
    if (refusal === undefined) {
      await issue();
      assert.ok((await openssl("verify", "-CAfile", `${dir.path}/ca.crt`, `${dir.path}/eva.crt`)).success);
    } else {
      await refuses(issue, "UNUSABLE", refusal);
      assert.equal((await snapshot(dir.path))["eva.crt"], undefined);
    }
  });
}

Deno.test("issueClient() describes a text that is not a request", async () => {
  await using dir = await tempDir();
  await initDirectory({ dir: dir.path });
  const of = (request: string) => () => issueClient({ dir: dir.path, name: "eva", roles: ["viewer"], request });
  await refuses(
    of(await Deno.readTextFile(`${dir.path}/ca.crt`)),
    "UNUSABLE",
    /its PEM label is "CERTIFICATE"/,
  );
  await refuses(of("hello"), "UNUSABLE", /it is not in PEM; create one/);
  const empty = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n";
  await refuses(of(empty), "UNUSABLE", /it is damaged/);
});
