/** Reads the files that an administrator writes: the policy and the limits. */
import { failureReason } from "../base/errno.ts";
import { checkWriteAccess } from "../certs/access_checks.ts";
import { StartError } from "./start_error.ts";

/**
 * Reads a settings file without its byte order mark.
 *
 * @param name the kind of the file for errors, such as `policy file`
 * @throws {StartError} when the file cannot be read or is not UTF-8: a pattern with replaced bytes would match other
 * commands
 * @throws {CertificateError} when another user could change the file
 */
export async function readSettings(name: string, path: string): Promise<string> {
  await checkWriteAccess(path);
  const bytes = await Deno.readFile(path).catch((error) => {
    throw new StartError(`Cannot read the ${name} "${path}": ${failureReason(error)}`);
  });
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new StartError(`Cannot read the ${name} "${path}": it is not valid UTF-8`);
  }
}
