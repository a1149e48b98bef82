/** PEM as people's tools and editors leave it, and what both sides then make of it. */
import assert from "node:assert/strict";
import { checkTlsCredentials, readAuthorities } from "../../rpc/shared/tls_credentials.ts";
import { TlsCredentialsError } from "../../rpc/server/server.ts";
import { formatPem, parsePem, splitCertificates } from "../../trust/pem.ts";
import { openssl, withOpenssl } from "../support/certs.ts";
import { ca, clientCertificate, clientCredentials, otherCa, serverCredentials } from "../support/certificates.ts";
import { connectTo, serveLocally } from "../support/rpc_server.ts";
import { someBytes } from "../support/random.ts";
import { tempDir } from "../support/temp_dir.ts";

const marker = "-----BEGIN CERTIFICATE-----";
const forms: [string, string][] = [
  ["a byte order mark", `\u{feff}${ca.cert}`],
  ["line breaks of Windows", ca.cert.replaceAll("\n", "\r\n")],
  ["blanks at the ends of lines", ca.cert.replaceAll("\n", "  \n")],
  ["a comment that holds a marker", `# paste ${marker} here\n${ca.cert}`],
  ["a comment that is a marker", `${marker}\nput it here\n${ca.cert}`],
  ["a cut certificate before it", `${ca.cert.slice(0, 200)}\n${ca.cert}`],
  ["text and garbage after it", `subject=CN = x\n${ca.cert}\ntrailing ----- garbage`],
  ["a key in the same file", `${clientCertificate.key}\n${ca.cert}`],
];

for (const [kind, text] of forms) {
  Deno.test(`splitCertificates() reads PEM with ${kind}, as both sides and TLS do`, async () => {
    assert.deepEqual(splitCertificates(text), splitCertificates(ca.cert));
    await using server = await serveLocally({ Status: ({ id }) => Promise.resolve({ id }) }, {
      credentials: { ...serverCredentials, ca: text },
    });
    await using client = connectTo(server, { ...clientCredentials, ca: text });
    assert.equal((await client.calls.Status({ id: kind })).id, kind);
  });
}

Deno.test("parsePem() reads several blocks of formatPem()", () => {
  const [one, two] = [someBytes(100), new Uint8Array()];
  const blocks = parsePem(`${formatPem("A B", one)}x\n${formatPem("C", one.subarray(0, 3))}${formatPem("D", two)}`);
  assert.deepEqual(blocks.map(({ label, der }) => [label, der.length]), [["A B", 100], ["C", 3], ["D", 0]]);
  assert.deepEqual(blocks[0]!.der, one);
});

Deno.test("readAuthorities() reads several authorities, and names the contents of a text without any", () => {
  assert.equal(readAuthorities(`${ca.cert}\n${otherCa.cert}`).length, 2);
  const wrong: [string, RegExp][] = [
    ["", /it holds no PEM/],
    [clientCertificate.key, /it holds "PRIVATE KEY", not a certificate/],
    [
      formatPem("TRUSTED CERTIFICATE", new Uint8Array(10)),
      /a "TRUSTED CERTIFICATE" is not supported: write it as a plain/,
    ],
    [formatPem("CERTIFICATE", new Uint8Array(10)), /Cannot read the CA certificate: it is damaged/],
  ];
  for (const [text, message] of wrong) {
    assert.throws(() => readAuthorities(text), (error) => {
      assert.ok(error instanceof TlsCredentialsError);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test(withOpenssl("checkTlsCredentials() names the fault of a key"), async () => {
  await using temporary = await tempDir();
  const dir = temporary.path;

  await Deno.writeTextFile(`${dir}/key`, clientCertificate.key);
  const made = await openssl("pkey", "-in", `${dir}/key`, "-aes128", "-passout", "pass:x", "-out", `${dir}/locked`);
  assert.ok(made.success, made.text);
  const locked = await Deno.readTextFile(`${dir}/locked`);
  const old = locked.replaceAll("ENCRYPTED PRIVATE KEY", "EC PRIVATE KEY")
    .replace("-----\n", "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n");
  for (const key of [locked, old]) {
    assert.throws(() => checkTlsCredentials({ ...clientCredentials, key }), {
      message: /it has a passphrase: remove it/,
    });
  }
  assert.throws(() => checkTlsCredentials({ ...clientCredentials, key: "x" }), {
    message: /its file holds none in PEM/,
  });
  // openssl ecparam -genkey writes the curve before the key.
  const traditional = await openssl("ec", "-in", `${dir}/key`, "-out", `${dir}/ec`);
  assert.ok(traditional.success, traditional.text);
  const parameters = formatPem("EC PARAMETERS", Uint8Array.fromHex("06082a8648ce3d030107"));
  checkTlsCredentials({ ...clientCredentials, key: parameters + await Deno.readTextFile(`${dir}/ec`) });
});
