/** The kinds of keys that certificates here are made with, and how each is read, made and asked to sign. */
import type { X509Certificate } from "@peculiar/x509";
import { parsePem } from "../trust/pem.ts";
import { CertificateError } from "./errors.ts";

/** Small, fast, and accepted by every TLS 1.3 library: P-256 by RFC 8446, section 9.1; Ed25519 by all but old hardware. */
export type KeyKind = "p256" | "ed25519";

/** What WebCrypto is to be told of each. */
const ALGORITHMS = {
  p256: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  ed25519: { name: "Ed25519" },
} as const;

/** Unless told otherwise. */
export const DEFAULT_KEY_KIND: KeyKind = "p256";

/** @throws {CertificateError} `INVALID_ARGUMENT` when it is none of the kinds */
export function parseKeyKind(text: string): KeyKind {
  if (Object.hasOwn(ALGORITHMS, text)) return text as KeyKind;
  throw new CertificateError(
    "INVALID_ARGUMENT",
    `Unknown kind of key ${JSON.stringify(text)}: give "p256" or "ed25519"`,
  );
}

/** Makes a pair of keys, able to leave memory. */
export async function makeKeys(kind: KeyKind): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey(ALGORITHMS[kind], true, ["sign", "verify"]) as CryptoKeyPair;
}

/** A key that signs, and how it is to be told to. */
export interface SigningKey {
  readonly key: CryptoKey;
  readonly algorithm: (typeof ALGORITHMS)[KeyKind];
}

/**
 * Reads a private key that this project made, for signing.
 *
 * @throws {Error} when the text is no such key
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

/** How a key that was just made is to be told to sign. */
export function signingKeyOf(keys: CryptoKeyPair, kind: KeyKind): SigningKey {
  return { key: keys.privateKey, algorithm: ALGORITHMS[kind] };
}

/** True when the private key and the certificate's public key are one pair. */
export async function belongsTo({ key, algorithm }: SigningKey, certificate: X509Certificate): Promise<boolean> {
  const probe = new TextEncoder().encode("probe");
  const signature = await crypto.subtle.sign(algorithm, key, probe);
  try {
    const publicKey = await certificate.publicKey.export();
    return await crypto.subtle.verify(algorithm, publicKey, signature, probe);
  } catch {
    // A key of another kind cannot even be asked.
    return false;
  }
}
