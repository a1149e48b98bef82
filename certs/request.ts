/** Reads a certificate signing request: somebody else's key, proved to be theirs. */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { CertificateError } from "./errors.ts";

/** A request with any subject has 2 KiB; a text beyond this is none. */
const MAX_REQUEST_CHARS = 64 * 1024;

/** What is weaker, or so large that verifying it costs the server, is refused. */
const RSA_BITS = { least: 2048, most: 4096 } as const;

/**
 * Returns the public key that a request is for. Who sent it and what they may do is for the caller to decide: a request
 * proves that its maker has the private key and nothing else.
 *
 * @param pem The request (RFC 2986), "BEGIN CERTIFICATE REQUEST"
 * @throws {CertificateError} `UNUSABLE` when the text is no request, is not signed by its key, or the key is too weak.
 */
export async function requestedKey(pem: string): Promise<CryptoKey> {
  if (pem.length > MAX_REQUEST_CHARS) throw unusable("is too long");
  let request: x509.Pkcs10CertificateRequest;
  let signed: boolean;
  try {
    request = new x509.Pkcs10CertificateRequest(x509.PemConverter.decodeFirst(pem));
    signed = await request.verify();
  } catch (cause) {
    throw unusable("is no certificate signing request in PEM", cause);
  }
  if (!signed) throw unusable("is not signed by the key it is for");
  const key = await request.publicKey.export().catch((cause) => {
    throw unusable("has a key of an unknown kind", cause);
  });
  const { name } = key.algorithm;
  if (name.startsWith("RSA")) {
    const { modulusLength } = key.algorithm as RsaHashedKeyAlgorithm;
    if (modulusLength < RSA_BITS.least || modulusLength > RSA_BITS.most) {
      throw unusable(`has an RSA key of "${modulusLength}" bits, not ${RSA_BITS.least} to ${RSA_BITS.most}`);
    }
  } else if (name !== "ECDSA" && name !== "Ed25519") {
    throw unusable(`has a key of the kind "${name}", which TLS does not take`);
  }
  return key;
}

function unusable(what: string, cause?: unknown): CertificateError {
  return new CertificateError(
    "UNUSABLE",
    `The request ${what}: make one with "openssl req -new -newkey ed25519 -nodes -keyout NAME.key -subj /CN=NAME"`,
    { cause },
  );
}
