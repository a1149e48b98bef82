/** Reads the public key of a certificate signing request, and checks the proof of possession. */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { readSigned, TAG } from "../trust/der.ts";
import { parsePem } from "../trust/pem.ts";
import { readPublicKey, type SignedData, verifySignature } from "../trust/signature.ts";
import { CertificateError } from "./errors.ts";

/** The longest request. A usual one has 2 KiB. */
const MAX_REQUEST_CHARS = 64 * 1024;

/**
 * Returns the public key of a request. A request proves only that its author has the private key, so its subject and
 * extensions are ignored.
 *
 * @param pem the request in PEM (RFC 2986), "CERTIFICATE REQUEST"
 * @throws {CertificateError} `UNUSABLE` when the text is not a request, its key did not sign it, or TLS does not support
 * its key
 */
export async function requestedKey(pem: string): Promise<CryptoKey> {
  if (pem.length > MAX_REQUEST_CHARS) throw unusable("it is too long");
  const der = requestIn(pem);
  let parts: RequestParts;
  try {
    parts = readParts(der);
  } catch (cause) {
    throw unusable("it is damaged", cause);
  }
  const key = readPublicKey(parts.publicKey);
  if (typeof key === "string") throw unusable(`it has ${key}`);
  const verdict = verifySignature(parts, parts);
  if (verdict.kind === "unknown") throw unusable(verdict.reason);
  if (verdict.kind === "invalid") throw unusable("its key did not sign it");
  return await new x509.PublicKey(parts.publicKey).export().catch((cause) => {
    throw unusable("its key cannot be used", cause);
  });
}

type RequestParts = SignedData & { readonly publicKey: Uint8Array<ArrayBuffer> };

function requestIn(pem: string): Uint8Array<ArrayBuffer> {
  const blocks = parsePem(pem);
  // Old tools write the second label.
  const found = blocks.find(({ label }) => label === "CERTIFICATE REQUEST" || label === "NEW CERTIFICATE REQUEST");
  if (found !== undefined) return found.der;
  const [other] = blocks;
  throw unusable(other === undefined ? "it is not in PEM" : `its PEM label is "${other.label.slice(0, 60)}"`);
}

function readParts(der: Uint8Array<ArrayBuffer>): RequestParts {
  const { signed, signatureAlgorithm, signature, body } = readSigned(der);
  body.next(TAG.INTEGER);
  body.next(TAG.SEQUENCE);
  return { signed, signatureAlgorithm, signature, publicKey: body.next(TAG.SEQUENCE).whole };
}

function unusable(reason: string, cause?: unknown): CertificateError {
  return new CertificateError(
    "UNUSABLE",
    `Cannot use the certificate signing request: ${reason}; ` +
      'create one with "openssl req -new -newkey ed25519 -nodes -keyout NAME.key -subj /CN=NAME"',
    { cause },
  );
}
