/** Reads from a directory what a server proves itself with and whom it believes; each file whole and usable, or refused. */
import { certificatePath, keyPath, MAX_LIST_BYTES, readPem, revocationsPath } from "./directory.ts";
import { CertificateError } from "./errors.ts";
import { checkKeyMode } from "./key_mode.ts";

/** What a server serves with, as PEM text. */
export interface ServerFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Whom a server does not believe any more. */
export interface RevokedSerials {
  /** Upper-case hexadecimal, whole bytes. */
  readonly serials: ReadonlySet<string>;
  /** After this a newer list should be there. */
  readonly nextUpdate: Date;
}

/**
 * Reads `ca.crt`, `server.crt` and `server.key`.
 *
 * @throws {CertificateError} `MISSING`, `NOT_ACCESSIBLE`, or `UNUSABLE` when others can read the key
 */
export async function readServerFiles(dir: string): Promise<ServerFiles> {
  const ca = await readPem(certificatePath(dir, "ca"));
  const cert = await readPem(certificatePath(dir, "server"));
  await checkKeyMode(keyPath(dir, "server"));
  return { ca, cert, key: await readPem(keyPath(dir, "server")) };
}

/**
 * Reads `ca.crl`, which one of these authorities must have signed; undefined when there is no such file.
 *
 * @throws {CertificateError} `UNUSABLE` when it is no list of theirs, `NOT_ACCESSIBLE`
 */
export async function readRevokedSerials(dir: string, ca: string): Promise<RevokedSerials | undefined> {
  let pem: string;
  try {
    pem = await readPem(revocationsPath(dir), MAX_LIST_BYTES);
  } catch (error) {
    if (error instanceof CertificateError && error.code === "MISSING") return undefined;
    throw error;
  }
  // Only here: reading lists loads far more than a server needs without one.
  const { readRevocations } = await import("./revocations.ts");
  const { revoked, nextUpdate } = await readRevocations(pem, ca);
  return { serials: new Set(revoked.map(({ serialNumber }) => serialNumber)), nextUpdate };
}
