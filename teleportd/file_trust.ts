/** Checks at the start that no other user can change the files that a server trusts. */
import { checkWriteAccess } from "../certs/access_checks.ts";

/** The directories of a data directory in which a job host writes. */
export const HOST_DIRECTORIES: readonly string[] = ["hosts", "output"];

/**
 * Checks the data directory, its entries, the entries of the audit log, and the directories above. The database, the
 * audit log and the memory of revoked certificates decide who may do what. Entries may be missing.
 *
 * @param hostUid the user of the job host, when it is another one. This user may own the directories of the job host.
 * @throws {CertificateError} `UNUSABLE` with the path and a command that corrects it, or `NOT_ACCESSIBLE`
 */
export async function checkDataDirectory(directory: string, hostUid?: number): Promise<void> {
  await checkWriteAccess(directory);
  for (const inside of [directory, `${directory}/audit`]) {
    for (const name of await namesIn(inside)) {
      const isOfHost = inside === directory && HOST_DIRECTORIES.includes(name);
      await checkWriteAccess(`${inside}/${name}`, isOfHost ? hostUid : undefined);
    }
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name);
  } catch {
    // The code that reads the entries reports the error, because it knows what they are for.
    return [];
  }
}

/**
 * Returns the warning about an authority's key on the server's host. Jobs can read what their user can read.
 *
 * @param hostUid the user of the job host, when it is another one
 * @returns undefined when jobs run as another user, who cannot read the key of the server's user
 */
export function authorityKeyWarning(
  path: string,
  hostUid?: number,
  uid: number | null = Deno.uid(),
): string | undefined {
  const jobUid = hostUid ?? uid;
  if (jobUid !== 0 && jobUid !== uid) return undefined;
  const who = jobUid === 0 ? "Every job that runs as root" : "Every job that runs as the server's user";
  const remedy = "move the key to another machine (see docs/certificates-and-roles.md)";
  return `${who} can read the authority's key "${path}" and make certificates for any user and role: ${remedy}` +
    (jobUid === 0 ? ", and run teleportd as a user of its own" : "");
}
