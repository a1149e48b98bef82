/** Verifies signatures of certificates and lists, for every kind of key that TLS supports. */
import { Buffer } from "node:buffer";
import { constants, createPublicKey, type KeyObject, verify } from "node:crypto";
import type { Certificate } from "./certificate.ts";
import { constructed, DerReader, readOid, readSmallInteger, TAG } from "./der.ts";

/** The result of a verification. `unknown` means that this code cannot verify it, and has the reason as a clause. */
export type SignatureVerdict =
  | { readonly kind: "valid" }
  | { readonly kind: "invalid" }
  | { readonly kind: "unknown"; readonly reason: string };

/** A signature scheme. */
type Scheme =
  | { readonly key: "rsa" | "ec"; readonly hash: string }
  | { readonly key: "rsa"; readonly hash: string; readonly saltBytes: number }
  | { readonly key: "ed25519"; readonly hash: null };

const RSA_PSS = "1.2.840.113549.1.1.10";
const MGF1 = "1.2.840.113549.1.1.8";

/** The algorithms that TLS supports. */
const SCHEMES: Readonly<Record<string, Scheme>> = {
  "1.2.840.113549.1.1.11": { key: "rsa", hash: "sha256" },
  "1.2.840.113549.1.1.12": { key: "rsa", hash: "sha384" },
  "1.2.840.113549.1.1.13": { key: "rsa", hash: "sha512" },
  "1.2.840.10045.4.3.2": { key: "ec", hash: "sha256" },
  "1.2.840.10045.4.3.3": { key: "ec", hash: "sha384" },
  "1.2.840.10045.4.3.4": { key: "ec", hash: "sha512" },
  "1.3.101.112": { key: "ed25519", hash: null },
};

/** The hashes of RSA-PSS, each with the length of its salt (RFC 8446, section 4.2.3). */
const PSS_HASHES: Readonly<Record<string, { readonly hash: string; readonly saltBytes: number }>> = {
  "2.16.840.1.101.3.4.2.1": { hash: "sha256", saltBytes: 32 },
  "2.16.840.1.101.3.4.2.2": { hash: "sha384", saltBytes: 48 },
  "2.16.840.1.101.3.4.2.3": { hash: "sha512", saltBytes: 64 },
};

/** The unsupported algorithms that have a known name. */
const REFUSED: Readonly<Record<string, string>> = {
  "1.2.840.113549.1.1.4": "MD5, which can be forged",
  "1.2.840.113549.1.1.5": "SHA-1, which can be forged",
  "1.2.840.10045.4.1": "SHA-1, which can be forged",
  "1.2.840.10045.4.3.1": "SHA-224, which TLS does not support",
  "1.2.840.113549.1.1.14": "SHA-224, which TLS does not support",
  "1.3.101.113": "Ed448, which TLS does not support here",
};

/** Signed bytes and their signature, of a certificate or a list. */
export type SignedData = Pick<Certificate, "signed" | "signatureAlgorithm" | "signature">;

/** Verifies that the key of a certificate signed another certificate or a list. */
export function verifySignature(signed: SignedData, issuer: Pick<Certificate, "publicKey">): SignatureVerdict {
  const scheme = schemeOf(signed);
  if (typeof scheme === "string") return { kind: "unknown", reason: `it is signed with ${scheme}` };
  const key = publicKeyOf(issuer);
  if (typeof key === "string") return { kind: "unknown", reason: `its issuer has ${key}` };
  if (key.asymmetricKeyType !== scheme.key) return { kind: "invalid" };
  // Measured: node:crypto does not support this hash with this key, and reports a wrong signature.
  if (scheme.hash === "sha256" && key.asymmetricKeyDetails?.namedCurve === "secp521r1") {
    const reason = "it is signed with SHA-256 by a P-521 key, which cannot be verified here as SHA-384 and SHA-512 can";
    return { kind: "unknown", reason };
  }
  try {
    const options = "saltBytes" in scheme
      ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: scheme.saltBytes }
      : key;
    return verify(scheme.hash, signed.signed, options, signed.signature) ? { kind: "valid" } : { kind: "invalid" };
  } catch {
    return { kind: "unknown", reason: "its signature has a form that cannot be verified here" };
  }
}

/** Returns the fault of the key of a certificate, as words after "has". Undefined when it can be used. */
export function keyFault(certificate: Certificate): string | undefined {
  const key = publicKeyOf(certificate);
  return typeof key === "string" ? key : undefined;
}

/** Returns the kind of key of a certificate, such as "P-256", "RSA" or "Ed25519". */
export function keyName(certificate: Certificate): string {
  const algorithm = new DerReader(certificate.publicKey).enter(TAG.SEQUENCE).enter(TAG.SEQUENCE);
  const oid = readOid(algorithm.next(TAG.OBJECT_IDENTIFIER).bytes);
  if (oid !== EC_KEY) return KIND_NAMES[oid] ?? oid;
  const curve = algorithm.nextTag === TAG.OBJECT_IDENTIFIER
    ? readOid(algorithm.next().bytes)
    : "a curve without a name";
  return CURVE_NAMES[curve] ?? curve;
}

const keys = new WeakMap<object, KeyObject | string>();

/** Returns the key of a certificate, or its fault in words. */
function publicKeyOf(certificate: Pick<Certificate, "publicKey">): KeyObject | string {
  let key = keys.get(certificate);
  if (key === undefined) keys.set(certificate, key = readPublicKey(certificate.publicKey));
  return key;
}

const RSA_KEY = "1.2.840.113549.1.1.1";
const EC_KEY = "1.2.840.10045.2.1";
const ED25519_KEY = "1.3.101.112";
/** P-256, P-384 and P-521. */
const CURVES = ["1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35"];
/** Measured: node:crypto reads no longer keys here, although TLS supports up to 8,192 bits. */
const RSA_BITS = { min: 2048, max: 4096 } as const;

/** Reads a public key in DER (SubjectPublicKeyInfo). Returns its fault in words when TLS does not support it. */
export function readPublicKey(der: Uint8Array<ArrayBuffer>): KeyObject | string {
  const outer = new DerReader(der).enter(TAG.SEQUENCE);
  const algorithm = outer.enter(TAG.SEQUENCE);
  const oid = readOid(algorithm.next(TAG.OBJECT_IDENTIFIER).bytes);
  const refusal = kindFault(oid, algorithm);
  if (refusal !== undefined) return refusal;
  try {
    const bits = oid === RSA_KEY ? rsaBits(outer.next(TAG.BIT_STRING).bytes.subarray(1)) : undefined;
    if (bits !== undefined && (bits < RSA_BITS.min || bits > RSA_BITS.max)) {
      return `an RSA key of ${bits} bits, not of ${RSA_BITS.min} to ${RSA_BITS.max}`;
    }
    return createPublicKey({ key: Buffer.from(der), format: "der", type: "spki" });
  } catch {
    return "a key that cannot be read";
  }
}

/** Returns the length of the modulus of an RSA key in bits (RFC 8017, appendix A.1.1). */
function rsaBits(key: Uint8Array<ArrayBuffer>): number {
  const modulus = new DerReader(key).enter(TAG.SEQUENCE).next(TAG.INTEGER).bytes.toHex().replace(/^0+/, "");
  return (modulus.length - 1) * 4 + parseInt(modulus.charAt(0), 16).toString(2).length;
}

function kindFault(oid: string, algorithm: DerReader): string | undefined {
  if (oid === RSA_KEY || oid === ED25519_KEY) return undefined;
  if (oid === EC_KEY) {
    if (algorithm.nextTag !== TAG.OBJECT_IDENTIFIER) return "a key with a curve that has no name";
    const curve = readOid(algorithm.next().bytes);
    return CURVES.includes(curve)
      ? undefined
      : `a key on the curve ${CURVE_NAMES[curve] ?? curve}, not on P-256, P-384 or P-521`;
  }
  return `a key of the kind ${KIND_NAMES[oid] ?? oid}, not RSA, ECDSA or Ed25519`;
}

const CURVE_NAMES: Readonly<Record<string, string>> = {
  "1.2.840.10045.3.1.7": "P-256",
  "1.3.132.0.34": "P-384",
  "1.3.132.0.35": "P-521",
  "1.3.132.0.10": "secp256k1",
  "1.3.132.0.33": "P-224",
  "1.2.840.10045.3.1.1": "P-192",
};

const KIND_NAMES: Readonly<Record<string, string>> = {
  "1.2.840.113549.1.1.1": "RSA",
  "1.3.101.112": "Ed25519",
  [RSA_PSS]: "RSA-PSS",
  "1.2.840.10040.4.1": "DSA",
  "1.3.101.110": "X25519",
  "1.3.101.111": "X448",
  "1.3.101.113": "Ed448",
};

function schemeOf({ signatureAlgorithm }: SignedData): Scheme | string {
  const algorithm = new DerReader(signatureAlgorithm.bytes);
  const oid = readOid(algorithm.next(TAG.OBJECT_IDENTIFIER).bytes);
  if (oid === RSA_PSS) return pssScheme(algorithm) ?? "RSA-PSS with parameters that TLS does not support";
  return SCHEMES[oid] ?? REFUSED[oid] ?? `the unknown algorithm ${oid}`;
}

/** Reads the parameters of RSA-PSS (RFC 4055, section 3.1). The default is SHA-1, which is not supported. */
function pssScheme(algorithm: DerReader): Scheme | undefined {
  if (algorithm.nextTag !== TAG.SEQUENCE) return undefined;
  const parameters = algorithm.enter(TAG.SEQUENCE);
  const tagged = (number: number) =>
    parameters.nextTag === constructed(number) ? parameters.enter(constructed(number)) : undefined;
  const hash = tagged(0)?.enter(TAG.SEQUENCE).next(TAG.OBJECT_IDENTIFIER).bytes;
  const mask = tagged(1)?.enter(TAG.SEQUENCE);
  const salt = tagged(2)?.next(TAG.INTEGER).bytes;
  if (hash === undefined || mask === undefined || salt === undefined) return undefined;
  const known = PSS_HASHES[readOid(hash)];
  const isMgf1 = readOid(mask.next(TAG.OBJECT_IDENTIFIER).bytes) === MGF1;
  const isSameHash = readOid(mask.enter(TAG.SEQUENCE).next(TAG.OBJECT_IDENTIFIER).bytes) === readOid(hash);
  if (known === undefined || !isMgf1 || !isSameHash || readSmallInteger(salt) !== known.saltBytes) return undefined;
  return { key: "rsa", ...known };
}
