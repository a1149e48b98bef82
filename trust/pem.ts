/** Reads and writes PEM (RFC 7468): certificates, keys, requests and revocation lists. */

/** A block of a PEM text. */
export interface PemBlock {
  /** The label, such as "CERTIFICATE". */
  readonly label: string;
  /** The decoded contents. */
  readonly der: Uint8Array<ArrayBuffer>;
  /** True when the contents are encrypted in the form of old OpenSSL (`Proc-Type: 4,ENCRYPTED`). */
  readonly isEncrypted: boolean;
}

const BEGIN = /^-----BEGIN ([A-Z0-9 ]+)-----$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** A header of old OpenSSL, such as `DEK-Info: AES-256-CBC,…`. */
const HEADER = /^[A-Za-z-]+: /;

/**
 * Returns the blocks of a text. Ignores text between them, a byte order mark and the kind of line breaks. A marker counts
 * only on a line of its own, with base64 and the end marker after it, so a comment can contain a marker.
 */
export function parsePem(text: string): PemBlock[] {
  const lines = text.replace(/^\u{feff}/u, "").split(/\r\n|\r|\n/).map((line) => line.trim());
  const blocks: PemBlock[] = [];
  for (let index = 0; index < lines.length; index++) {
    const label = BEGIN.exec(lines[index]!)?.[1];
    if (label === undefined) continue;
    const block = readBlock(lines, index + 1, label);
    if (block === undefined) continue;
    blocks.push(block.block);
    index = block.end;
  }
  return blocks;
}

function readBlock(
  lines: readonly string[],
  start: number,
  label: string,
): { block: PemBlock; end: number } | undefined {
  const base64: string[] = [];
  let isEncrypted = false;
  for (let index = start; index < lines.length; index++) {
    const line = lines[index]!;
    if (line === `-----END ${label}-----`) {
      const der = decode(base64.join(""));
      return der && { block: { label, der, isEncrypted }, end: index };
    }
    if (base64.length === 0 && HEADER.test(line)) {
      if (/^Proc-Type: .*ENCRYPTED/.test(line)) isEncrypted = true;
    } else if (BASE64.test(line)) base64.push(line);
    else if (line !== "") return undefined;
  }
  return undefined;
}

function decode(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.fromBase64(base64);
  } catch {
    return undefined;
  }
}

/** Formats one block. */
export function formatPem(label: string, der: Uint8Array): string {
  const lines = der.toBase64().match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/** The labels of certificates. The second is an old one that OpenSSL still reads. */
const CERTIFICATE_LABELS = ["CERTIFICATE", "X509 CERTIFICATE"];

/** Returns true for the label of a certificate. */
export function isCertificateLabel(label: string): boolean {
  return CERTIFICATE_LABELS.includes(label);
}

/** Returns true for the label of a private key. */
export function isPrivateKeyLabel(label: string): boolean {
  return label.endsWith("PRIVATE KEY");
}

/** Returns the certificates of a text in DER, in order. */
export function certificatesDer(text: string): Uint8Array<ArrayBuffer>[] {
  return parsePem(text).filter(({ label }) => isCertificateLabel(label)).map(({ der }) => der);
}

/** Returns the certificates of a text, each in PEM without a line break at the end. */
export function splitCertificates(text: string): string[] {
  return certificatesDer(text).map((der) => formatPem("CERTIFICATE", der).trimEnd());
}
