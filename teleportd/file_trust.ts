/** Whether what a server believes and keeps is its own: checked at the start, before any of it is read. */
import { checkWriteAccess } from "../certs/key_mode.ts";

/**
 * Checks that no other user can change the data directory, what is directly in it and in the audit record, or a directory
 * above it: the database, the audit record and the memory of revoked certificates decide who may do what. What does not
 * exist yet is no fault.
 *
 * @throws {CertificateError} `UNUSABLE` with the path and the command that puts it right, `NOT_ACCESSIBLE`
 */
export async function checkDataDirectory(directory: string): Promise<void> {
  await checkWriteAccess(directory);
  for (const inside of [directory, `${directory}/audit`]) {
    for (const name of await namesIn(inside)) await checkWriteAccess(`${inside}/${name}`);
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name);
  } catch {
    // What it is that cannot be read is for those to say who read it.
    return [];
  }
}

/** A warning about the authority's key beside a server: its jobs run as the server's user, and can read what that can. */
export function authorityKeyWarning(path: string, uid: number | null = Deno.uid()): string {
  const remedy = `move it to another machine (see docs/certificates-and-roles.md)`;
  const consequence = "Whoever reads it can make certificates for any user and role";
  return uid === 0
    ? `WARNING: EVERY JOB THAT RUNS AS ROOT CAN READ "${path}". ${consequence}: ${remedy}, and run teleportd as a user of ` +
      "its own"
    : `warning: jobs can read "${path}", as they run as the server's user. ${consequence}: ${remedy}`;
}
