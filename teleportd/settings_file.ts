/** Reads the files that an administrator writes: the policy, and the limits. */
import { checkWriteAccess } from "../certs/key_mode.ts";
import { StartError } from "./start_error.ts";

/**
 * Reads a file of settings. A byte order mark is passed over.
 *
 * @param name what the file is, to begin a sentence with
 * @throws {StartError} when it cannot be read, or is not UTF-8: a pattern with replaced bytes would match other commands
 * @throws {CertificateError} when another user could change it
 */
export async function readSettings(name: string, path: string): Promise<string> {
  await checkWriteAccess(path);
  const bytes = await Deno.readFile(path).catch((error) => {
    throw new StartError(`${name} "${path}" cannot be read: ${error instanceof Error ? error.message : error}`);
  });
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new StartError(`${name} "${path}" cannot be read: it is not valid UTF-8`);
  }
}
