/** The kinds of keys: creates them, reads them, and signs with them. */
import type { X509Certificate } from "@peculiar/x509";
import { parsePem } from "../trust/pem.ts";
import { CertificateError } from "./errors.ts";

/** Every TLS 1.3 library accepts P-256 (RFC 8446, section 9.1), and most accept Ed25519. */
export type KeyKind = "p256" | "ed25519";

/** The parameters of WebCrypto. */
const ALGORITHMS = {
  p256: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  ed25519: { name: "Ed25519" },
} as const;

/** The default kind. */
export const DEFAULT_KEY_KIND: KeyKind = "p256";

/** @throws {CertificateError} `INVALID_ARGUMENT` when it is not a known kind */
export function parseKeyKind(text: string): KeyKind {
  if (Object.hasOwn(ALGORITHMS, text)) return text as KeyKind;
  throw new CertificateError(
    "INVALID_ARGUMENT",
    `'--algorithm' must be "p256" or "ed25519", got ${JSON.stringify(text)}`,
  );
}

/** Creates a key pair that can be exported. */
export async function createKeys(kind: KeyKind): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey(ALGORITHMS[kind], true, ["sign", "verify"]) as CryptoKeyPair;
}

/** A private key and its algorithm. */
export interface SigningKey {
  readonly key: CryptoKey;
  readonly algorithm: (typeof ALGORITHMS)[KeyKind];
}

/**
 * Reads a private key of these kinds in PEM.
 *
 * @throws {Error} when the text has no such key
 */
export async function readSigningKey(pem: string): Promise<SigningKey> {
  const der = parsePem(pem).find(({ label }) => label === "PRIVATE KEY")?.der ?? new Uint8Array();
  let first: unknown;
  for (const algorithm of Object.values(ALGORITHMS)) {
    try {
      return { key: await crypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]), algorithm };
    } catch (error) {
      first ??= error;
    }
  }
  throw first;
}

/** Returns the private key of a new key pair. */
export function signingKeyOf(keys: CryptoKeyPair, kind: KeyKind): SigningKey {
  return { key: keys.privateKey, algorithm: ALGORITHMS[kind] };
}

/** Returns true when the private key belongs to the public key of the certificate. */
export async function belongsTo({ key, algorithm }: SigningKey, certificate: X509Certificate): Promise<boolean> {
  const probe = new TextEncoder().encode("probe");
  const signature = await crypto.subtle.sign(algorithm, key, probe);
  try {
    const publicKey = await certificate.publicKey.export();
    return await crypto.subtle.verify(algorithm, publicKey, signature, probe);
  } catch {
    // Verification throws for a key of another kind.
    return false;
  }
}
