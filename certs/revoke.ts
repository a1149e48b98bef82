/** Revokes certificates: puts their serial numbers on the authority's list, which servers take up at once. */
import { MAX_SERIAL_BYTES, readCertificate } from "../trust/certificate.ts";
import { certificatesDer } from "../trust/pem.ts";
import { type Authority, readAuthority } from "./authority.ts";
import {
  certificatePath,
  listFiles,
  MAX_LIST_BYTES,
  readPemFile,
  replacePublicFile,
  revocationsPath,
  withLock,
} from "./directory.ts";
import { CertificateError } from "./errors.ts";
import { certificatesOf, firstCertificate } from "./inspect.ts";
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
  /**
   * The name of the authority that issued it, as `list`, `show` and the server's audit record have it. Goes with the
   * serial number; needed where `ca.crt` holds several authorities.
   */
  readonly issuer?: string | undefined;
  /** The present. Absent: the clock's. */
  readonly now?: Date | undefined;
}

/** What was done. */
export interface RevokeResult {
  /** The name of the authority that issued it, as RFC 4514 writes names. */
  readonly issuer: string;
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
export async function revoke(options: RevokeOptions): Promise<RevokeResult> {
  const { dir, now = new Date() } = options;
  // Two at once would each write a list without the other's.
  return await withLock(dir, async () => {
    const authority = await readAuthority(dir, now);
    const { issuer, serialNumber } = await subjectOf(options);
    const own = firstCertificate(authority.certificate);
    if (own.serialNumber === serialNumber && own.issuer.id === issuer.id) {
      throw new CertificateError(
        "INVALID_ARGUMENT",
        'An authority cannot revoke itself: make a new one with "renew ca", and drop this one with "renew ca --finish"',
      );
    }
    const before = await revocationsOf(dir);
    const already = isOnList(before.revoked, { issuer, serialNumber });
    const added = already ? [] : [{ issuer, serialNumber, revokedAt: now }];
    const revoked: Revocation[] = [...before.revoked, ...added];
    if (!already) await writeRevocations(dir, revoked, before.number + 1, authority, now);
    return { issuer: issuer.text, serialNumber, path: revocationsPath(dir), already, count: revoked.length };
  });
}

/** What is revoked in a directory; nothing where there is no list. */
export async function revocationsOf(dir: string): Promise<Pick<Revocations, "revoked" | "number">> {
  let pem: string;
  try {
    pem = await readPemFile(revocationsPath(dir), MAX_LIST_BYTES);
  } catch (error) {
    if (error instanceof CertificateError && error.code === "MISSING") return { revoked: [], number: 0 };
    throw error;
  }
  return readRevocations(pem, await readPemFile(certificatePath(dir, "ca")));
}

/** True when a list has the certificate. */
export function isOnList(
  revoked: readonly Revocation[],
  { issuer, serialNumber }: Pick<Revocation, "issuer" | "serialNumber">,
): boolean {
  return revoked.some((one) => one.serialNumber === serialNumber && one.issuer.id === issuer.id);
}

/** Writes the list anew. */
export async function writeRevocations(
  dir: string,
  revoked: readonly Revocation[],
  number: number,
  authority: Authority,
  now: Date,
): Promise<void> {
  await replacePublicFile(dir, "ca.crl", makeRevocations(revoked, authority, { number, now }));
}

/** What a certificate is known by on a list. */
const MAX_DIGITS = MAX_SERIAL_BYTES * 2;

type Subject = Pick<Revocation, "issuer" | "serialNumber">;

async function subjectOf({ dir, name, certificate, serialNumber, issuer }: RevokeOptions): Promise<Subject> {
  if (serialNumber !== undefined) {
    const digits = serialNumber.replaceAll(":", "");
    // RFC 5280, section 4.1.2.2: at most 20 bytes.
    if (/^[0-9A-Fa-f]+$/.test(digits) && digits.length <= MAX_DIGITS) {
      return await withIssuer(dir, canonicalSerial(digits), issuer);
    }
    throw new CertificateError(
      "INVALID_ARGUMENT",
      `Invalid serial number ${
        JSON.stringify(serialNumber.slice(0, 60))
      }: give hexadecimal digits, at most ${MAX_DIGITS}`,
    );
  }
  if (certificate !== undefined) return firstCertificate(certificate);
  if (name !== undefined && !/^[^/\0.][^/\0]{0,199}$/.test(name)) {
    throw new CertificateError("INVALID_ARGUMENT", `Invalid name ${JSON.stringify(name.slice(0, 60))}: give a user's`);
  }
  if (name !== undefined) return firstCertificate(await readPemFile(certificatePath(dir, name)));
  throw new CertificateError("INVALID_ARGUMENT", "Nothing to revoke: give a NAME, --serial or --cert");
}

/** Finds out whose a serial number is: the issuer's that was named, the only authority's, or that of a file at hand. */
async function withIssuer(dir: string, serialNumber: string, issuer: string | undefined): Promise<Subject> {
  const authorities = certificatesOf(await readPemFile(certificatePath(dir, "ca"))).map(({ subject }) => subject);
  const names = new Map(authorities.map((subject) => [subject.text, subject]));
  const known = issuer === undefined ? undefined : names.get(issuer);
  if (known !== undefined) return { issuer: known, serialNumber };
  const choices = [...names.keys()].map((text) => JSON.stringify(text)).join(" or ");
  if (issuer !== undefined) {
    throw new CertificateError(
      "INVALID_ARGUMENT",
      `Unknown issuer ${JSON.stringify(issuer.slice(0, 200))}: "ca.crt" has ${choices}`,
    );
  }
  const [only] = names.values();
  if (names.size === 1 && only !== undefined) return { issuer: only, serialNumber };
  for (const file of (await listFiles(dir)).filter((file) => file.endsWith(".crt") && file !== "ca.crt")) {
    const found = certificatesDer(await readPemFile(`${dir}/${file}`)).map(readCertificate)
      .find((one) => one.serialNumber === serialNumber);
    if (found !== undefined) return found;
  }
  throw new CertificateError(
    "INVALID_ARGUMENT",
    `Serial number ${serialNumber} may be of several authorities: say whose with --issuer ${choices}`,
  );
}
