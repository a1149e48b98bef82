/** Reads from a directory what a server proves itself with and whom it believes; each file whole and usable, or refused. */
import { certificatePath, keyPath, MAX_LIST_BYTES, readPemFile, revocationsPath } from "./directory.ts";
import { CertificateError } from "./errors.ts";
import { isPrivateKeyLabel, parsePem as readBlocks } from "../trust/pem.ts";
import { revocationKey } from "../trust/revocation.ts";
import { checkKeyAccess, checkWriteAccess } from "./key_mode.ts";
import { readRevocations } from "./revocations.ts";

/** What a server serves with, as PEM text. */
export interface ServerFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Whom a server does not believe any more. */
export interface RevokedCertificates {
  /** Each as `revocationKey` writes issuer and serial number. */
  readonly keys: ReadonlySet<string>;
  /** After this a newer list should be there. */
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

/** Looks at who may write before it reads, and at who may read where the file holds a key too. */
async function readCertificates(path: string): Promise<string> {
  await checkWriteAccess(path);
  const text = await readPemFile(path);
  if (readBlocks(text).some(({ label }) => isPrivateKeyLabel(label))) await checkKeyAccess(path);
  return text;
}

/**
 * Where the authority's key is, if it is in this directory, which it need not be for a server.
 *
 * @throws {CertificateError} `UNUSABLE` when others can read or write it, who could then be anybody
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
 * Reads `ca.crl`, which these authorities must have made; undefined when there is no such file.
 *
 * @throws {CertificateError} `UNUSABLE` when it is no list of theirs, or others can write it; `NOT_ACCESSIBLE`
 */
export async function readRevoked(dir: string, ca: string): Promise<RevokedCertificates | undefined> {
  const path = revocationsPath(dir);
  let pem: string;
  try {
    pem = await readPemFile(path, MAX_LIST_BYTES);
  } catch (error) {
    if (error instanceof CertificateError && error.code === "MISSING") return undefined;
    throw error;
  }
  await checkWriteAccess(path);
  const { revoked, nextUpdate } = readRevocations(pem, ca);
  return { keys: new Set(revoked.map(({ issuer, serialNumber }) => revocationKey(issuer, serialNumber))), nextUpdate };
}
