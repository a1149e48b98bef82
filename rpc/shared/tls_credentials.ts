/** What the two sides prove themselves with. */
import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { type Certificate, readCertificate } from "../../trust/certificate.ts";
import { authorityFault, capitalized, formFault } from "../../trust/chain.ts";
import { formatPem, isCertificateLabel, isPrivateKeyLabel, parsePem, type PemBlock } from "../../trust/pem.ts";
import { keyFault, readPublicKey } from "../../trust/signature.ts";

/** What one side proves itself with and checks the other by, each as PEM text. */
export interface TlsCredentials {
  /** The certificate of the authority that signed the other side's certificate; of each, while one follows another. */
  readonly ca: string;
  /** The own certificate, and those of the authorities between it and the first, in any order. */
  readonly cert: string;
  /** The private key of the own certificate. */
  readonly key: string;
}

/** A certificate or key that cannot be used. */
export class TlsCredentialsError extends Error {
  override readonly name = "TlsCredentialsError";
  /** Which of them. */
  readonly part: keyof TlsCredentials;

  constructor(part: keyof TlsCredentials, message: string, options?: ErrorOptions) {
    super(message, options);
    this.part = part;
  }
}

/** Two while one authority follows another; more than a few is a bundle of the world's, which is not meant. */
const MAX_AUTHORITIES = 16;

/** The own certificate and a few authorities: every handshake carries them. */
const MAX_CHAIN = 8;

/**
 * Checks that credentials can be used, for TLS does not: given an authority that cannot be parsed it lets any
 * certificate pass, and it accepts certificates by authorities that nobody here could judge again.
 *
 * @throws {TlsCredentialsError} When a part is no PEM, the CA is none or cannot be judged, the certificate has a form that TLS
 * does not take, or the key is not the certificate's
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
  // TLS does not begin with most of these, in words that name neither certificate nor reason.
  const form = formFault(own);
  if (form !== undefined) {
    throw new TlsCredentialsError("cert", `${capitalized(form.reason)}: make a certificate of another form`);
  }
  if (!isPair(readPrivateKey(key), own)) {
    throw new TlsCredentialsError(
      "key",
      "The private key does not belong to the certificate: give the two of one name",
    );
  }
}

/**
 * The authorities of a text in PEM.
 *
 * @throws {TlsCredentialsError} When there is none, there are too many, or one cannot be read
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
 * The own certificate of a text in PEM, and what comes after it.
 *
 * @throws {TlsCredentialsError} When there is none, there are too many, or one cannot be read
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

/** The texts last parsed: they are checked, handed to TLS and judged by, one after another, also at each start of a client. */
const recent = new Map<string, unknown>();
const MAX_RECENT = 4;

function parsedOnce<T>(text: string, parse: (text: string) => T): T {
  const key = `${parse.name} ${text}`;
  const known = recent.get(key) as T | undefined;
  if (known !== undefined) return known;
  const result = parse(text);
  recent.set(key, result);
  if (recent.size > MAX_RECENT) recent.delete(recent.keys().next().value!);
  return result;
}

const NAMES = { ca: "CA certificate", cert: "certificate" } as const;

function certificateBlocks(part: "ca" | "cert", text: string): PemBlock[] {
  const blocks = parsePem(text);
  // Its trust settings say what it must not be used for, and TLS passes over them.
  if (blocks.some(({ label }) => label === "TRUSTED CERTIFICATE")) {
    throw new TlsCredentialsError(
      part,
      `Cannot read the ${NAMES[part]}: a "TRUSTED CERTIFICATE" is not supported: ` +
        `write it as a plain one with "openssl x509 -in FILE -out FILE"`,
    );
  }
  const found = blocks.filter(({ label }) => isCertificateLabel(label));
  if (found.length > 0) return found;
  const what = blocks.length === 0 ? "there is no PEM in it" : `it holds "${blocks[0]!.label}", no certificate`;
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
    throw new TlsCredentialsError("key", "Cannot read the private key: there is none in PEM in its file");
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

/** True when the private key is the one of the certificate. */
function isPair(key: KeyObject, certificate: Certificate): boolean {
  const wanted = readPublicKey(certificate.publicKey);
  if (typeof wanted === "string" || key.asymmetricKeyType !== wanted.asymmetricKeyType) return false;
  // Exported by the same code, two keys that are the same have the same bytes.
  const bytes = (publicKey: KeyObject) => publicKey.export({ format: "der", type: "spki" });
  return bytes(createPublicKey(key as unknown as Parameters<typeof createPublicKey>[0])).equals(bytes(wanted));
}

/** When the own certificate and each authority begin and end. */
export function validityPeriods(
  { ca, cert }: TlsCredentials,
): { readonly part: "ca" | "cert"; readonly notBefore: Date; readonly notAfter: Date }[] {
  return [
    ...readChain(cert).map(({ notBefore, notAfter }) => ({ part: "cert" as const, notBefore, notAfter })).slice(0, 1),
    ...readAuthorities(ca).map(({ notBefore, notAfter }) => ({ part: "ca" as const, notBefore, notAfter })),
  ];
}

/**
 * The credentials as TLS gets them: nothing but the blocks that were judged here, so that both read the same.
 *
 * @throws {TlsCredentialsError} When a part cannot be read
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
