/** Reads a certificate signing request: somebody else's key, proved to be theirs. */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { readSigned, TAG } from "../trust/der.ts";
import { parsePem } from "../trust/pem.ts";
import { readPublicKey, type SignedData, verifySignature } from "../trust/signature.ts";
import { CertificateError } from "./errors.ts";

/** A request with any subject has 2 KiB; a text beyond this is none. */
const MAX_REQUEST_CHARS = 64 * 1024;

/**
 * Returns the public key that a request is for. Who sent it and what they may do is for the caller to decide: a request
 * proves that its maker has the private key and nothing else. Its subject and its extensions are not looked at.
 *
 * @param pem The request (RFC 2986), "BEGIN CERTIFICATE REQUEST"
 * @throws {CertificateError} `UNUSABLE` when the text is no request, is not signed by its key, or the key is of a kind
 * that TLS does not take.
 */
export async function requestedKey(pem: string): Promise<CryptoKey> {
  if (pem.length > MAX_REQUEST_CHARS) throw unusable("is too long");
  const der = requestIn(pem);
  let parts: RequestParts;
  try {
    parts = readParts(der);
  } catch (cause) {
    throw unusable("is damaged", cause);
  }
  const key = readPublicKey(parts.publicKey);
  if (typeof key === "string") throw unusable(`has ${key}`);
  const verdict = verifySignature(parts, parts);
  if (verdict.kind === "unknown") throw unusable(`cannot be verified: ${verdict.reason}`);
  if (verdict.kind === "invalid") throw unusable("is not signed by the key it is for");
  return await new x509.PublicKey(parts.publicKey).export().catch((cause) => {
    throw unusable("has a key that cannot be used", cause);
  });
}

type RequestParts = SignedData & { readonly publicKey: Uint8Array<ArrayBuffer> };

function requestIn(pem: string): Uint8Array<ArrayBuffer> {
  const blocks = parsePem(pem);
  // The second is the label of old tools.
  const found = blocks.find(({ label }) => label === "CERTIFICATE REQUEST" || label === "NEW CERTIFICATE REQUEST");
  if (found !== undefined) return found.der;
  const [other] = blocks;
  const what = other === undefined ? "" : `: it is "${other.label.slice(0, 60)}"`;
  throw unusable(`is no certificate signing request in PEM${what}`);
}

function readParts(der: Uint8Array<ArrayBuffer>): RequestParts {
  const { signed, signatureAlgorithm, signature, body } = readSigned(der);
  body.next(TAG.INTEGER);
  body.next(TAG.SEQUENCE);
  return { signed, signatureAlgorithm, signature, publicKey: body.next(TAG.SEQUENCE).whole };
}

function unusable(what: string, cause?: unknown): CertificateError {
  return new CertificateError(
    "UNUSABLE",
    `The request ${what}: make one with "openssl req -new -newkey ed25519 -nodes -keyout NAME.key -subj /CN=NAME"`,
    { cause },
  );
}
