/** Revokes certificates: puts their serial numbers on the authority's list, which servers take up at once. */
import { type Authority, readAuthority } from "./authority.ts";
import {
  certificatePath,
  exclusively,
  MAX_LIST_BYTES,
  readPem,
  replacePublicFile,
  revocationsPath,
} from "./directory.ts";
import { CertificateError } from "./errors.ts";
import { inspectCertificate } from "./inspect.ts";
import { canonicalSerial, makeRevocations, readRevocations, type Revocation, type Revocations } from "./revocations.ts";

/** What is to be revoked, by one of three. */
export interface RevokeOptions {
  /** The certificate directory, with the authority's key. */
  readonly dir: string;
  /** The name of the files, such as a user's. */
  readonly name?: string | undefined;
  /** The certificate itself, in PEM, where its file is not in the directory any more. */
  readonly certificate?: string | undefined;
  /** Hexadecimal, as `list`, `show` and the server's audit record have it. */
  readonly serialNumber?: string | undefined;
  /** The present. Absent: the clock's. */
  readonly now?: Date | undefined;
}

/** What was done. */
export interface Revoked {
  readonly serialNumber: string;
  readonly path: string;
  /** True when it was on the list before. */
  readonly already: boolean;
  /** How many are on the list now. */
  readonly count: number;
}

/**
 * Puts a certificate on `ca.crl`. Files of the certificate stay where they are.
 *
 * @throws {CertificateError} `INVALID_ARGUMENT`, `MISSING` or `UNUSABLE` for certificate, authority or list, or
 * `NOT_ACCESSIBLE`; then nothing has changed.
 */
export async function revoke(options: RevokeOptions): Promise<Revoked> {
  const { dir, now = new Date() } = options;
  const serialNumber = await serialOf(options);
  // Two at once would each write a list without the other's.
  return await exclusively(dir, async () => {
    const authority = await readAuthority(dir, now);
    const own = await inspectCertificate(authority.certificate);
    if (canonicalSerial(own.serialNumber) === serialNumber) {
      throw new CertificateError(
        "INVALID_ARGUMENT",
        'An authority cannot revoke itself: make a new one with "renew ca", and drop this one with "renew ca --finish"',
      );
    }
    const before = await revocationsOf(dir);
    const already = before.revoked.some((revocation) => revocation.serialNumber === serialNumber);
    const revoked: Revocation[] = already ? [...before.revoked] : [...before.revoked, { serialNumber, revokedAt: now }];
    if (!already) await writeRevocations(dir, revoked, before.number + 1, authority, now);
    return { serialNumber, path: revocationsPath(dir), already, count: revoked.length };
  });
}

/** What is revoked in a directory; nothing where there is no list. */
export async function revocationsOf(dir: string): Promise<Pick<Revocations, "revoked" | "number">> {
  let pem: string;
  try {
    pem = await readPem(revocationsPath(dir), MAX_LIST_BYTES);
  } catch (error) {
    if (error instanceof CertificateError && error.code === "MISSING") return { revoked: [], number: 0 };
    throw error;
  }
  return await readRevocations(pem, await readPem(certificatePath(dir, "ca")));
}

/** Writes the list anew. */
export async function writeRevocations(
  dir: string,
  revoked: readonly Revocation[],
  number: number,
  authority: Authority,
  now: Date,
): Promise<void> {
  await replacePublicFile(dir, "ca.crl", await makeRevocations(revoked, authority, { number, now }));
}

async function serialOf({ dir, name, certificate, serialNumber }: RevokeOptions): Promise<string> {
  if (serialNumber !== undefined) {
    const digits = serialNumber.replaceAll(":", "");
    // RFC 5280, section 4.1.2.2: at most 20 bytes.
    if (/^[0-9A-Fa-f]{1,40}$/.test(digits)) return canonicalSerial(digits);
    throw new CertificateError(
      "INVALID_ARGUMENT",
      `Invalid serial number ${JSON.stringify(serialNumber.slice(0, 60))}: give hexadecimal digits, at most 40`,
    );
  }
  if (certificate !== undefined) return canonicalSerial((await inspectCertificate(certificate)).serialNumber);
  if (name !== undefined && !/^[^/\0.][^/\0]{0,199}$/.test(name)) {
    throw new CertificateError("INVALID_ARGUMENT", `Invalid name ${JSON.stringify(name.slice(0, 60))}: give a user's`);
  }
  if (name !== undefined) {
    return canonicalSerial((await inspectCertificate(await readPem(certificatePath(dir, name)))).serialNumber);
  }
  throw new CertificateError("INVALID_ARGUMENT", "Nothing to revoke: give a NAME, --serial or --cert");
}
