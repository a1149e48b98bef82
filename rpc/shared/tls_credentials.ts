/** The certificates and the key of one side of a connection, as PEM text: how they are read and checked. */
import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { type Certificate, readCertificate } from "../../trust/certificate.ts";
import { authorityFault, capitalized, formFault } from "../../trust/chain_faults.ts";
import { formatPem, isCertificateLabel, isPrivateKeyLabel, parsePem, type PemBlock } from "../../trust/pem.ts";
import { keyFault, readPublicKey } from "../../trust/signature.ts";

/** The certificates and the key of one side, each as PEM text. */
export interface TlsCredentials {
  /** The authorities that this side trusts. Usually one; more while a new authority replaces an old one. */
  readonly ca: string;
  /** The own certificate first, then those of intermediate authorities in any order. */
  readonly cert: string;
  /** The private key of the own certificate. */
  readonly key: string;
}

/** A certificate or key that cannot be used. */
export class TlsCredentialsError extends Error {
  override readonly name = "TlsCredentialsError";
  /** The part that cannot be used. */
  readonly part: keyof TlsCredentials;

  constructor(part: keyof TlsCredentials, message: string, options?: ErrorOptions) {
    super(message, options);
    this.part = part;
  }
}

/** The most authorities. Two are needed while a new one replaces an old one. A public bundle has far more. */
const MAX_AUTHORITIES = 16;

/** The most certificates of a chain. Every handshake carries all of them. */
const MAX_CHAIN = 8;

/**
 * Checks that credentials can be used. TLS does not: it accepts every certificate when an authority cannot be parsed.
 * It also accepts certificates that cannot be judged again later.
 *
 * @throws {TlsCredentialsError} when a part is not PEM, or TLS does not accept its form. Also when the CA cannot be
 * judged, or when the key belongs to another certificate
 */
export function checkTlsCredentials({ ca, cert, key }: TlsCredentials): void {
  for (const authority of readAuthorities(ca)) {
    const fault = authorityFault(authority);
    if (fault !== undefined) {
      throw new TlsCredentialsError("ca", `The CA certificate cannot be used: ${fault.reason}: give another "ca.crt"`);
    }
  }
  const [own] = readChain(cert);
  const fault = keyFault(own);
  if (fault !== undefined) {
    throw new TlsCredentialsError("cert", `The certificate has ${fault}: make one with another key`);
  }
  // TLS would refuse most of these, with an error that names neither certificate nor reason.
  const form = formFault(own);
  if (form !== undefined) {
    throw new TlsCredentialsError("cert", `${capitalized(form.reason)}: make a certificate of another form`);
  }
  if (!isPair(readPrivateKey(key), own)) {
    throw new TlsCredentialsError(
      "key",
      "The certificate and the private key do not match: give the two files of one name",
    );
  }
}

/**
 * Returns the authorities of a text in PEM.
 *
 * @throws {TlsCredentialsError} when there is none, there are too many, or one cannot be read
 */
export function readAuthorities(ca: string): readonly Certificate[] {
  return parsedOnce(ca, parseAuthorities);
}

function parseAuthorities(ca: string): readonly Certificate[] {
  const blocks = certificateBlocks("ca", ca);
  if (blocks.length > MAX_AUTHORITIES) {
    throw new TlsCredentialsError("ca", `Too many CA certificates, ${blocks.length}: give at most ${MAX_AUTHORITIES}`);
  }
  return blocks.map((block) => parsed("ca", block));
}

/**
 * Returns the certificates of a text in PEM, the own one first.
 *
 * @throws {TlsCredentialsError} when there is none, there are too many, or one cannot be read
 */
export function readChain(cert: string): Chain {
  return parsedOnce(cert, parseChain);
}

type Chain = readonly [Certificate, ...Certificate[]];

function parseChain(cert: string): Chain {
  const blocks = certificateBlocks("cert", cert);
  if (blocks.length > MAX_CHAIN) {
    throw new TlsCredentialsError(
      "cert",
      `Too many certificates in one file, ${blocks.length}: give at most ${MAX_CHAIN}`,
    );
  }
  const [own, ...others] = blocks.map((block) => parsed("cert", block));
  return [own!, ...others];
}

/**
 * The results of the last texts. Each start parses the same text several times: for the checks, for TLS, to judge
 * peers.
 */
const recent = new Map<string, unknown>();
const MAX_RECENT = 4;

function parsedOnce<T>(text: string, parse: (text: string) => T): T {
  const key = `${parse.name} ${text}`;
  const cached = recent.get(key) as T | undefined;
  if (cached !== undefined) return cached;
  const result = parse(text);
  recent.set(key, result);
  if (recent.size > MAX_RECENT) recent.delete(recent.keys().next().value!);
  return result;
}

const NAMES = { ca: "CA certificate", cert: "certificate" } as const;

function certificateBlocks(part: "ca" | "cert", text: string): PemBlock[] {
  const blocks = parsePem(text);
  // Trust settings restrict the use of a certificate, and TLS ignores them.
  if (blocks.some(({ label }) => label === "TRUSTED CERTIFICATE")) {
    throw new TlsCredentialsError(
      part,
      `Cannot read the ${NAMES[part]}: a "TRUSTED CERTIFICATE" is not supported: ` +
        `write it as a plain one with "openssl x509 -in FILE -out FILE"`,
    );
  }
  const found = blocks.filter(({ label }) => isCertificateLabel(label));
  if (found.length > 0) return found;
  const what = blocks.length === 0 ? "it holds no PEM" : `it holds "${blocks[0]!.label}", not a certificate`;
  throw new TlsCredentialsError(part, `Cannot read the ${NAMES[part]}: ${what}: give one in PEM`);
}

function parsed(part: "ca" | "cert", { der }: PemBlock): Certificate {
  try {
    return readCertificate(der);
  } catch (cause) {
    throw new TlsCredentialsError(part, `Cannot read the ${NAMES[part]}: it is damaged: give one in PEM`, { cause });
  }
}

function keyBlock(key: string): PemBlock {
  const block = parsePem(key).find(({ label }) => isPrivateKeyLabel(label));
  if (block === undefined) {
    throw new TlsCredentialsError("key", "Cannot read the private key: its file holds none in PEM");
  }
  if (block.isEncrypted || block.label === "ENCRYPTED PRIVATE KEY") {
    throw new TlsCredentialsError(
      "key",
      'Cannot read the private key: it has a passphrase: remove it with "openssl pkey"',
    );
  }
  return block;
}

function readPrivateKey(key: string): KeyObject {
  const { label, der } = keyBlock(key);
  try {
    return createPrivateKey(formatPem(label, der));
  } catch (cause) {
    throw new TlsCredentialsError("key", "Cannot read the private key: give one in PEM, without a passphrase", {
      cause,
    });
  }
}

/** Returns whether a private key belongs to a certificate. */
function isPair(key: KeyObject, certificate: Certificate): boolean {
  const wanted = readPublicKey(certificate.publicKey);
  if (typeof wanted === "string" || key.asymmetricKeyType !== wanted.asymmetricKeyType) return false;
  // Equal keys have equal bytes when the same code exports them.
  const bytes = (publicKey: KeyObject) => publicKey.export({ format: "der", type: "spki" });
  // The types lack the KeyObject that createPublicKey() accepts.
  return bytes(createPublicKey(key as unknown as Parameters<typeof createPublicKey>[0])).equals(bytes(wanted));
}

/** Returns the validity periods of the own certificate and of each authority. */
export function validityPeriods(
  { ca, cert }: TlsCredentials,
): { readonly part: "ca" | "cert"; readonly notBefore: Date; readonly notAfter: Date }[] {
  return [
    ...readChain(cert).map(({ notBefore, notAfter }) => ({ part: "cert" as const, notBefore, notAfter })).slice(0, 1),
    ...readAuthorities(ca).map(({ notBefore, notAfter }) => ({ part: "ca" as const, notBefore, notAfter })),
  ];
}

/**
 * Returns the credentials for TLS: only the PEM blocks that were judged, so that TLS reads the same certificates.
 *
 * @throws {TlsCredentialsError} when a part cannot be read
 */
export function pemBytes({ ca, cert, key }: TlsCredentials): { ca: Buffer; cert: Buffer; key: Buffer } {
  const { label, der } = keyBlock(key);
  const certificates = (list: readonly Certificate[]) =>
    Buffer.from(list.map((one) => formatPem("CERTIFICATE", one.der)).join(""));
  return {
    ca: certificates(readAuthorities(ca)),
    cert: certificates(readChain(cert)),
    key: Buffer.from(formatPem(label, der)),
  };
}
