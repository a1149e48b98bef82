/** What the two sides prove themselves with. */
import { Buffer } from "node:buffer";
import { createPrivateKey, X509Certificate } from "node:crypto";

/** What one side proves itself with and checks the other by, each as PEM text. */
export interface Credentials {
  /** The certificate of the authority that signed the other side's certificate; of each, while one follows another. */
  readonly ca: string;
  /** The own certificate. */
  readonly cert: string;
  /** The private key of the own certificate. */
  readonly key: string;
}

/** A certificate or key that cannot be used. */
export class CredentialsError extends Error {
  override readonly name = "CredentialsError";
  /** Which of them. */
  readonly part: keyof Credentials;

  constructor(part: keyof Credentials, message: string, options?: ErrorOptions) {
    super(message, options);
    this.part = part;
  }
}

/**
 * Checks that credentials can be used, for TLS does not: given an authority that cannot be parsed it lets any
 * certificate pass.
 *
 * @throws {CredentialsError} When a part is no PEM, the CA is none, or the key is not the certificate's
 */
export function checkCredentials({ ca, cert, key }: Credentials): void {
  const authorities = splitCertificates(ca);
  if (authorities.length > MAX_AUTHORITIES) {
    throw new CredentialsError(
      "ca",
      `Too many CA certificates, "${authorities.length}": give at most ${MAX_AUTHORITIES}`,
    );
  }
  for (const authority of authorities.length === 0 ? [ca] : authorities) {
    if (!parsed("ca", authority).ca) {
      throw new CredentialsError(
        "ca",
        'The CA certificate is not one of an authority: give "ca.crt" as certs.ts makes it',
      );
    }
  }
  const own = parsed("cert", cert);
  let privateKey;
  try {
    privateKey = createPrivateKey(key);
  } catch (cause) {
    throw new CredentialsError("key", "Cannot read the private key: give one in PEM, without a passphrase", { cause });
  }
  if (!own.checkPrivateKey(privateKey)) {
    throw new CredentialsError("key", "The private key does not belong to the certificate: give the two of one name");
  }
}

/** Two while one authority follows another; more than a few is a bundle of the world's, which is not meant. */
const MAX_AUTHORITIES = 16;

/** The certificates in a text, each as PEM (RFC 7468). */
export function splitCertificates(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
}

function parsed(part: "ca" | "cert", pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    const name = part === "ca" ? "CA certificate" : "certificate";
    throw new CredentialsError(part, `Cannot read the ${name}: give one in PEM`, { cause });
  }
}

/** When the own certificate and each authority end. */
export function endsOf({ ca, cert }: Credentials): { readonly part: "ca" | "cert"; readonly notAfter: Date }[] {
  return [
    { part: "cert", notAfter: new Date(parsed("cert", cert).validTo) },
    ...splitCertificates(ca).map((pem) => ({ part: "ca" as const, notAfter: new Date(parsed("ca", pem).validTo) })),
  ];
}

/** PEM text as grpc-js wants it. */
export function pemBytes({ ca, cert, key }: Credentials): { ca: Buffer; cert: Buffer; key: Buffer } {
  return { ca: Buffer.from(ca), cert: Buffer.from(cert), key: Buffer.from(key) };
}
