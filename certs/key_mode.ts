/** Whether a private key is private: who besides its owner may read the file. */
import { CertificateError } from "./errors.ts";

const GROUP_READS = 0o040;
const OTHERS_OR_MORE = 0o037;

/**
 * Checks that nobody else can read a key. As with PostgreSQL a key that belongs to root may be readable by a group, which
 * is how Kubernetes and others hand a secret to a user that does not own it; never by everybody.
 *
 * @throws {CertificateError} `UNUSABLE` when others can read or change it, `MISSING`, `NOT_ACCESSIBLE`.
 */
export async function checkKeyMode(path: string, ownUid: number | null = Deno.uid()): Promise<void> {
  let info: Deno.FileInfo;
  try {
    info = await Deno.stat(path);
  } catch (cause) {
    const missing = cause instanceof Deno.errors.NotFound;
    throw new CertificateError(
      missing ? "MISSING" : "NOT_ACCESSIBLE",
      `"${path}" ${missing ? "is missing: make certificates with certs init" : "cannot be looked at"}`,
      { cause },
    );
  }
  const mode = (info.mode ?? 0) & 0o777;
  const forGroup = info.uid === 0 && ownUid !== 0;
  if ((mode & OTHERS_OR_MORE) === 0 && ((mode & GROUP_READS) === 0 || forGroup)) return;
  throw new CertificateError(
    "UNUSABLE",
    `"${path}" can be read or changed by others (mode "${mode.toString(8).padStart(4, "0")}"): run chmod 600 on it; ` +
      "for a secret of Docker or Kubernetes, set its mode to 0400 and its owner to the server's user",
  );
}
