/** Reads PEM (RFC 7468): the one splitter for certificates, keys, requests and lists. */

/** One block of a PEM text. */
export interface PemBlock {
  /** Such as "CERTIFICATE". */
  readonly label: string;
  /** The decoded contents. */
  readonly der: Uint8Array<ArrayBuffer>;
  /** True when the contents are encrypted with a passphrase in the way of old OpenSSL (`Proc-Type: 4,ENCRYPTED`). */
  readonly isEncrypted: boolean;
}

const BEGIN = /^-----BEGIN ([A-Z0-9 ]+)-----$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** A header of old OpenSSL, such as `DEK-Info: AES-256-CBC,…`. */
const HEADER = /^[A-Za-z-]+: /;

/**
 * Finds the blocks of a text. Text between them is ignored, as are a byte order mark and the kind of line break. A marker
 * counts only on a line of its own that base64 and the matching end marker follow, so a comment may hold one.
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

/** Writes one block. */
export function formatPem(label: string, der: Uint8Array): string {
  const lines = der.toBase64().match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/** How certificates are labelled; the second is an old name that OpenSSL still reads. */
const CERTIFICATE_LABELS = ["CERTIFICATE", "X509 CERTIFICATE"];

/** True when a block of this label holds a certificate. */
export function isCertificateLabel(label: string): boolean {
  return CERTIFICATE_LABELS.includes(label);
}

/** True when a block of this label holds a private key. */
export function isPrivateKeyLabel(label: string): boolean {
  return label.endsWith("PRIVATE KEY");
}

/** The certificates of a text in DER, in order. */
export function certificatesDer(text: string): Uint8Array<ArrayBuffer>[] {
  return parsePem(text).filter(({ label }) => isCertificateLabel(label)).map(({ der }) => der);
}

/** The certificates of a text, each as PEM and nothing else, without a line break at the end. */
export function splitCertificates(text: string): string[] {
  return certificatesDer(text).map((der) => formatPem("CERTIFICATE", der).trimEnd());
}
