/** Reads a server's certificates, key and revocation list from a directory, and checks who can access them. */
import { certificatePath, keyPath, MAX_LIST_BYTES, readPemFile, revocationsPath } from "./directory.ts";
import { CertificateError } from "./errors.ts";
import { isPrivateKeyLabel, parsePem as readBlocks } from "../trust/pem.ts";
import { revocationKey } from "../trust/revocation.ts";
import { checkKeyAccess, checkWriteAccess } from "./access_checks.ts";
import { readRevocationLists } from "./revocation_lists.ts";

/** The credentials of a server, in PEM. */
export interface ServerFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** The revoked certificates of a directory. */
export interface RevokedCertificates {
  /** Their keys, as `revocationKey()` formats them. */
  readonly keys: ReadonlySet<string>;
  /** The time by which a newer list should exist. */
  readonly nextUpdate: Date;
}

/**
 * Reads `ca.crt`, `server.crt` and `server.key`.
 *
 * @throws {CertificateError} `MISSING`, `NOT_ACCESSIBLE`, or `UNUSABLE` when others can write one of them, or read a key
 */
export async function readServerFiles(dir: string): Promise<ServerFiles> {
  const ca = await readCertificates(certificatePath(dir, "ca"));
  const cert = await readCertificates(certificatePath(dir, "server"));
  await checkKeyAccess(keyPath(dir, "server"));
  await checkWriteAccess(keyPath(dir, "server"));
  return { ca, cert, key: await readPemFile(keyPath(dir, "server")) };
}

/** Checks who can write before it reads, and who can read when the file has a key. */
async function readCertificates(path: string): Promise<string> {
  await checkWriteAccess(path);
  const text = await readPemFile(path);
  if (readBlocks(text).some(({ label }) => isPrivateKeyLabel(label))) await checkKeyAccess(path);
  return text;
}

/**
 * Returns the path of the authority's key. Undefined when the directory does not have it, as a server does not need it.
 *
 * @throws {CertificateError} `UNUSABLE` when others can read or write it
 */
export async function authorityKeyIn(dir: string): Promise<string | undefined> {
  const path = keyPath(dir, "ca");
  try {
    await checkKeyAccess(path);
    await checkWriteAccess(path);
    return path;
  } catch (error) {
    if (error instanceof CertificateError && error.code === "MISSING") return undefined;
    throw error;
  }
}

/**
 * Reads `ca.crl`. Undefined when it does not exist.
 *
 * @param ca the certificates of the authorities in PEM
 * @throws {CertificateError} `UNUSABLE` when these authorities did not sign it, or others can write it; `NOT_ACCESSIBLE`
 */
export async function readRevokedCertificates(dir: string, ca: string): Promise<RevokedCertificates | undefined> {
  const path = revocationsPath(dir);
  let pem: string;
  try {
    pem = await readPemFile(path, MAX_LIST_BYTES);
  } catch (error) {
    if (error instanceof CertificateError && error.code === "MISSING") return undefined;
    throw error;
  }
  await checkWriteAccess(path);
  const { revoked, nextUpdate } = readRevocationLists(pem, ca);
  return { keys: new Set(revoked.map(({ issuer, serialNumber }) => revocationKey(issuer, serialNumber))), nextUpdate };
}
