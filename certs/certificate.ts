/** Creates a certificate and its key in memory, in the form of all certificates of this project. */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { parseHosts } from "./hosts.ts";
import {
  createKeys,
  DEFAULT_KEY_KIND,
  type KeyKind,
  readSigningKey,
  type SigningKey,
  signingKeyOf,
} from "./key_kind.ts";
import type { Validity } from "./lifetime.ts";

/** A certificate and its private key in PEM. */
export interface KeyPair {
  /** RFC 7468, "CERTIFICATE". */
  readonly certificate: string;
  /** PKCS #8, "PRIVATE KEY". */
  readonly key: string;
}

/** The use of a certificate. A server certificate is not valid as a client certificate, nor the reverse. */
export type Usage = "authority" | "server" | "client";

/** The contents of a certificate. */
export interface CertificateOptions {
  readonly usage: Usage;
  /** The CN of the subject: the user, for a client. Empty for no CN. */
  readonly commonName: string;
  /** The O attributes of the subject: the roles, for a client. */
  readonly organizations?: readonly string[];
  /** The DNS names and IP addresses of a server. */
  readonly hosts?: readonly string[];
  readonly validity: Validity;
  /** The kind of key. Absent: P-256. */
  readonly keyKind?: KeyKind | undefined;
  /** The signing authority. Absent: the certificate signs itself. */
  readonly issuer?: KeyPair;
}

/**
 * Creates a key and a certificate (profile of RFC 5280). An authority signs only certificates and revocation lists, and
 * no other authority. A server or client certificate signs only handshakes. The caller checks names and validity.
 *
 * @throws {CertificateError} `INVALID_ARGUMENT` when a host is not a name or an address
 *
 * @example An authority, and an expired client certificate
 * ```ts
 * const validity = { notBefore: new Date("2020-01-01"), notAfter: new Date("2020-02-01") };
 * const issuer = await createCertificate({ usage: "authority", commonName: "an authority", validity });
 * await createCertificate({ usage: "client", commonName: "ann", organizations: ["viewer"], validity, issuer });
 * ```
 */
export async function createCertificate(options: CertificateOptions): Promise<KeyPair> {
  const kind = options.keyKind ?? DEFAULT_KEY_KIND;
  const keys = await createKeys(kind);
  const certificate = await sign(options, keys.publicKey, signingKeyOf(keys, kind));
  const key = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { certificate, key: `${x509.PemConverter.encode(key, "PRIVATE KEY")}\n` };
}

/**
 * Creates a certificate for an existing public key.
 *
 * @returns the certificate in PEM
 * @throws {CertificateError} `INVALID_ARGUMENT` when a host is not a name or an address
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

/** Builds the name from data, because a value could inject attributes into the text form "CN=…, O=…". */
function subjectName(commonName: string, organizations: readonly string[]): x509.Name {
  return new x509.Name([
    ...organizations.map((organization) => ({ O: [{ utf8String: organization }] })),
    ...(commonName === "" ? [] : [{ CN: [{ utf8String: commonName }] }]),
  ]);
}

/** Uses the issuer's own identifier, if it has one: another tool may compute it differently. */
async function authorityKeyIdentifier(issuer: x509.X509Certificate | undefined, ownKey: CryptoKey) {
  const identifier = issuer?.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
  if (identifier !== undefined) return new x509.AuthorityKeyIdentifierExtension(identifier);
  return await x509.AuthorityKeyIdentifierExtension.create(issuer?.publicKey ?? ownKey);
}

/** Creates 126 random bits. The first two of the 128 bits make the number positive and its length fixed. */
function randomSerial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes.toHex();
}
