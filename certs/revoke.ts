/** Revokes certificates: adds their serial numbers to the revocation list of the authority. */
import { quote } from "../base/quote.ts";
import { canonicalSerial, MAX_SERIAL_BYTES, readCertificate } from "../trust/certificate.ts";
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
import {
  createRevocationList,
  readRevocationLists,
  type Revocation,
  type RevocationLists,
} from "./revocation_lists.ts";

/** The certificate to revoke, given in one of three ways. */
export interface RevokeOptions {
  /** The certificate directory, which has the key of the authority. */
  readonly dir: string;
  /** The name of the files, such as that of a user. */
  readonly name?: string | undefined;
  /** The certificate in PEM. */
  readonly certificate?: string | undefined;
  /** The file of `certificate`, for errors. */
  readonly certificatePath?: string | undefined;
  /** The serial number in hexadecimal, as `list`, `show` and the audit log print it. */
  readonly serialNumber?: string | undefined;
  /** The name of the authority that issued the serial number. Needed when `ca.crt` has several authorities. */
  readonly issuer?: string | undefined;
  /** The current time. Absent: that of the system clock. */
  readonly now?: Date | undefined;
}

/** The result of a revocation. */
export interface RevokeResult {
  /** The name of the issuer (RFC 4514). */
  readonly issuer: string;
  readonly serialNumber: string;
  /** The path of the list. */
  readonly path: string;
  /** True when the certificate was already on the list. */
  readonly already: boolean;
  /** The number of entries of the list. */
  readonly count: number;
}

/**
 * Adds a certificate to `ca.crl`. Its files are not changed.
 *
 * @throws {CertificateError} `INVALID_ARGUMENT`, `MISSING` or `UNUSABLE` for certificate, authority or list, or
 * `NOT_ACCESSIBLE`; then nothing has changed
 */
export async function revoke(options: RevokeOptions): Promise<RevokeResult> {
  const { dir, now = new Date() } = options;
  // Otherwise one of two processes would overwrite the entry of the other.
  return await withLock(dir, async () => {
    const authority = await readAuthority(dir, now);
    const { issuer, serialNumber } = await targetOf(options);
    const own = firstCertificate(authority.certificate);
    if (own.serialNumber === serialNumber && own.issuer.id === issuer.id) {
      throw new CertificateError(
        "INVALID_ARGUMENT",
        'Cannot revoke the authority itself: run "certs renew ca", and later "certs renew ca --finish"',
      );
    }
    const before = await readRevocationFile(dir);
    const already = isOnList(before.revoked, { issuer, serialNumber });
    const added = already ? [] : [{ issuer, serialNumber, revokedAt: now }];
    const revoked: Revocation[] = [...before.revoked, ...added];
    if (!already) await writeRevocationList(dir, revoked, before.number + 1, authority, now);
    return { issuer: issuer.text, serialNumber, path: revocationsPath(dir), already, count: revoked.length };
  });
}

/** Reads the revocation list of a directory. Without a file, it is empty. */
export async function readRevocationFile(dir: string): Promise<Pick<RevocationLists, "revoked" | "number">> {
  let pem: string;
  try {
    pem = await readPemFile(revocationsPath(dir), MAX_LIST_BYTES);
  } catch (error) {
    if (error instanceof CertificateError && error.code === "MISSING") return { revoked: [], number: 0 };
    throw error;
  }
  return readRevocationLists(pem, await readPemFile(certificatePath(dir, "ca")));
}

/** Returns true when the list has the certificate. */
export function isOnList(
  revoked: readonly Revocation[],
  { issuer, serialNumber }: Pick<Revocation, "issuer" | "serialNumber">,
): boolean {
  return revoked.some((one) => one.serialNumber === serialNumber && one.issuer.id === issuer.id);
}

/** Replaces the revocation list of a directory. */
export async function writeRevocationList(
  dir: string,
  revoked: readonly Revocation[],
  number: number,
  authority: Authority,
  now: Date,
): Promise<void> {
  await replacePublicFile(dir, "ca.crl", createRevocationList(revoked, authority, { number, now }));
}

/** The most digits of a serial number. */
const MAX_DIGITS = MAX_SERIAL_BYTES * 2;

/** The identity of a certificate on a list. */
type RevocationTarget = Pick<Revocation, "issuer" | "serialNumber">;

async function targetOf(options: RevokeOptions): Promise<RevocationTarget> {
  const { dir, name, certificate, serialNumber, issuer } = options;
  if (serialNumber !== undefined) {
    const digits = serialNumber.replaceAll(":", "");
    if (/^[0-9A-Fa-f]+$/.test(digits) && digits.length <= MAX_DIGITS) {
      return await withIssuer(dir, canonicalSerial(digits), issuer);
    }
    throw new CertificateError(
      "INVALID_ARGUMENT",
      `'--serial' must have 1 to ${MAX_DIGITS} hexadecimal digits, got ${quote(serialNumber)}`,
    );
  }
  if (certificate !== undefined) return firstCertificate(certificate, options.certificatePath);
  if (name !== undefined && !/^[^/\0.][^/\0]{0,199}$/.test(name)) {
    throw new CertificateError(
      "INVALID_ARGUMENT",
      `'NAME' must be the name of a user, got ${quote(name)}`,
    );
  }
  if (name !== undefined) {
    const path = certificatePath(dir, name);
    return firstCertificate(await readPemFile(path), path);
  }
  throw new CertificateError("INVALID_ARGUMENT", "Cannot revoke: give a NAME, --serial or --cert");
}

/** Finds the issuer of a serial number: the named one, the only authority, or that of a file in the directory. */
async function withIssuer(dir: string, serialNumber: string, issuer: string | undefined): Promise<RevocationTarget> {
  const path = certificatePath(dir, "ca");
  const authorities = certificatesOf(await readPemFile(path), path).map(({ subject }) => subject);
  const names = new Map(authorities.map((subject) => [subject.text, subject]));
  const known = issuer === undefined ? undefined : names.get(issuer);
  if (known !== undefined) return { issuer: known, serialNumber };
  const choices = [...names.keys()].map((text) => JSON.stringify(text)).join(" or ");
  if (issuer !== undefined) {
    throw new CertificateError(
      "INVALID_ARGUMENT",
      `'--issuer' must be ${choices}, got ${quote(issuer)}`,
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
    `Cannot revoke serial number ${serialNumber}: several authorities could have issued it; give --issuer ${choices}`,
  );
}
