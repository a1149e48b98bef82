/** Makes one certificate and its key, in memory. The form of every certificate of this project is decided here. */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { parseHosts } from "./hosts.ts";
import { DEFAULT_KEY_KIND, type KeyKind, makeKeys, readSigningKey, type SigningKey, signingKeyOf } from "./key_kind.ts";
import type { Validity } from "./lifetime.ts";

/** A certificate and its private key, both as PEM text. */
export interface KeyPair {
  /** RFC 7468, "CERTIFICATE". */
  readonly certificate: string;
  /** PKCS #8, "PRIVATE KEY". */
  readonly key: string;
}

/** What a certificate is good for. Neither of the leaves passes for the other. */
export type Usage = "authority" | "server" | "client";

/** What a certificate says. */
export interface CertificateOptions {
  readonly usage: Usage;
  /** The subject's CN: the user, for a client. Empty: none. */
  readonly commonName: string;
  /** The subject's Os, one each: the roles, for a client. */
  readonly organizations?: readonly string[];
  /** Names and addresses a server is reached under; the form decides which of the two one is. */
  readonly hosts?: readonly string[];
  readonly validity: Validity;
  /** Which kind of key is made; P-256 unless given. */
  readonly keyKind?: KeyKind | undefined;
  /** Who signs. Absent: the certificate signs itself, as an authority does. */
  readonly issuer?: KeyPair;
}

/**
 * Makes a key and a certificate for it, by the profile of RFC 5280: an authority signs certificates and nothing else,
 * and no authority stands below it; a server or client certificate signs handshakes and nothing else. Who may have
 * which name and for how long is for the caller to decide.
 *
 * @throws {CertificateError} `INVALID_ARGUMENT` when a host is neither name nor address.
 *
 * @example An authority, and a client's certificate that has expired
 * ```ts
 * const validity = { notBefore: new Date("2020-01-01"), notAfter: new Date("2020-02-01") };
 * const issuer = await makeCertificate({ usage: "authority", commonName: "an authority", validity });
 * await makeCertificate({ usage: "client", commonName: "ann", organizations: ["viewer"], validity, issuer });
 * ```
 */
export async function makeCertificate(options: CertificateOptions): Promise<KeyPair> {
  const kind = options.keyKind ?? DEFAULT_KEY_KIND;
  const keys = await makeKeys(kind);
  const certificate = await sign(options, keys.publicKey, signingKeyOf(keys, kind));
  const key = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { certificate, key: `${x509.PemConverter.encode(key, "PRIVATE KEY")}\n` };
}

/**
 * Makes a certificate for a key whose private half is elsewhere and stays there.
 *
 * @returns PEM text
 * @throws {CertificateError} `INVALID_ARGUMENT` when a host is neither name nor address.
 */
export async function certifyKey(
  publicKey: CryptoKey,
  options: CertificateOptions & { readonly issuer: KeyPair },
): Promise<string> {
  return await sign(options, publicKey, await readSigningKey(options.issuer.key));
}

async function sign(options: CertificateOptions, publicKey: CryptoKey, own: SigningKey): Promise<string> {
  const { usage, commonName, organizations = [], hosts = [], validity, issuer } = options;
  const issuerCertificate = issuer && new x509.X509Certificate(issuer.certificate);
  const subject = subjectName(commonName, organizations);
  const { key, algorithm } = issuer ? await readSigningKey(issuer.key) : own;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomSerial(),
    subject,
    issuer: issuerCertificate?.subjectName ?? subject,
    ...validity,
    publicKey,
    signingKey: key,
    signingAlgorithm: algorithm,
    extensions: [
      ...usageExtensions(usage),
      ...(hosts.length > 0 ? [new x509.SubjectAlternativeNameExtension([...parseHosts(hosts)])] : []),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await authorityKeyIdentifier(issuerCertificate, publicKey),
    ],
  });
  return `${certificate.toString("pem")}\n`;
}

function usageExtensions(usage: Usage): x509.Extension[] {
  if (usage === "authority") {
    return [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ];
  }
  const purpose = usage === "server" ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth;
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([purpose]),
  ];
}

/** As data, never as the text form "CN=…, O=…", which a name could break out of. */
function subjectName(commonName: string, organizations: readonly string[]): x509.Name {
  return new x509.Name([
    ...organizations.map((organization) => ({ O: [{ utf8String: organization }] })),
    ...(commonName === "" ? [] : [{ CN: [{ utf8String: commonName }] }]),
  ]);
}

/** The issuer's own identifier where it has one: another tool may have computed it in another way. */
async function authorityKeyIdentifier(issuer: x509.X509Certificate | undefined, ownKey: CryptoKey) {
  const identifier = issuer?.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
  if (identifier !== undefined) return new x509.AuthorityKeyIdentifierExtension(identifier);
  return await x509.AuthorityKeyIdentifierExtension.create(issuer?.publicKey ?? ownKey);
}

/** 128 bits, of which 126 are random: the first two make it positive and always of the same length. */
function randomSerial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes.toHex();
}
