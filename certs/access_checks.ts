/** Checks that other users cannot read the keys of a server, nor change its files. */
import { checkSecret, checkWriters, FileAccessError } from "../trust/file_access.ts";
import { oneLine } from "../text/unprintable.ts";
import { CertificateError } from "./errors.ts";

/**
 * Checks that other users cannot read a key.
 *
 * @throws {CertificateError} `UNUSABLE` when others can read or change it, `MISSING`, `NOT_ACCESSIBLE`
 */
export function checkKeyAccess(path: string, ownUid: number | null = Deno.uid()): Promise<void> {
  return check(path, () => checkSecret(path, ownUid === null ? {} : { uid: ownUid }));
}

/**
 * Checks that other users cannot change a file or directory, nor a directory above it.
 *
 * @param otherUid another user who may
 * @throws {CertificateError} `UNUSABLE` when others can, `NOT_ACCESSIBLE`
 */
export function checkWriteAccess(path: string, otherUid?: number): Promise<void> {
  return check(path, () => checkWriters(path, otherUid === undefined ? {} : { otherUid }));
}

function check(path: string, look: () => void): Promise<void> {
  return Promise.try(look).catch((cause) => {
    if (cause instanceof FileAccessError) throw new CertificateError("UNUSABLE", cause.message, { cause, path });
    const missing = cause instanceof Deno.errors.NotFound;
    throw new CertificateError(
      missing ? "MISSING" : "NOT_ACCESSIBLE",
      missing
        ? `Cannot read "${path}": it does not exist; create certificates with certs init`
        : `Cannot check the access to "${path}": ${oneLine(cause)}`,
      { cause, path },
    );
  });
}
