/** The data directory: where it is, how it is made, and which errors are about it. */
import { failureReason } from "../base/errno.ts";
import { DirectoryInUseError, RecordDamagedError, StoreUnusableError } from "../job_host.ts";
import { checkDataDirectory } from "./file_trust.ts";
import { lockHolder } from "./lock_holder.ts";
import type { ServerEnvironment } from "./server_environment.ts";
import { StartError } from "./start_error.ts";
import { shellWord } from "../text/escape_terminal.ts";

/**
 * Returns the data directory that a flag or the environment names.
 *
 * @throws {StartError} when neither names one
 */
export function dataDirectory(
  flag: string | undefined,
  env: Pick<ServerEnvironment["env"], "XDG_STATE_HOME" | "HOME">,
): string {
  if (flag !== undefined && flag !== "") return flag;
  const state = env.XDG_STATE_HOME;
  if (state?.startsWith("/")) return `${state}/teleport`;
  if (env.HOME) return `${env.HOME}/.local/state/teleport`;
  throw new StartError("Cannot choose a data directory: use --data DIR, or set HOME");
}

/**
 * Checks that the server's user can read the directory, if it exists.
 *
 * @throws {StartError} when it cannot be read, with its owner and the remedy
 */
export async function checkReadable(directory: string): Promise<void> {
  try {
    for await (const _ of Deno.readDir(directory)) break;
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) throw await ownerErrorOf(directory, error);
    // A missing directory is made later. Everything else is reported by who uses the directory.
  }
}

/** A file is made to find out, because access control lists and mounts decide too. A full disk is reported later. */
async function checkWritable(directory: string): Promise<void> {
  try {
    await Deno.remove(await Deno.makeTempFile({ dir: directory, prefix: ".trial-" }));
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) throw await ownerErrorOf(directory, error);
  }
}

async function ownerErrorOf(directory: string, cause: Error): Promise<StartError> {
  const owner = await Deno.stat(directory).then(({ uid }) => `user ${uid}`, () => "another user");
  const own = Deno.uid();
  return new StartError(
    `Cannot use the data directory "${directory}" of ${owner} as user ${own}: ` +
      `run chown -R ${own} ${shellWord(directory)}, or use another --data`,
    { cause },
  );
}

/**
 * Makes the directory if it is missing, and checks again that no other user can change it. A parent of a new directory
 * may belong to another user.
 *
 * @throws {StartError} when it cannot be made, or the server's user cannot write in it
 * @throws {CertificateError} when another user could change it
 */
export async function makeDataDirectory(directory: string): Promise<void> {
  await Deno.mkdir(directory, { recursive: true, mode: 0o700 }).catch((error) => {
    throw new StartError(`Cannot make the data directory "${directory}": ${failureReason(error)}`);
  });
  await checkDataDirectory(directory);
  await checkWritable(directory);
}

/** Adds the data directory to an error of the library. Its messages also go to clients, so they name no path. */
export function directoryErrorOf(error: unknown, directory: string): unknown {
  if (error instanceof DirectoryInUseError) {
    const pid = lockHolder(`${directory}/jobs.db`);
    const who = pid === undefined ? "another server" : `process ${pid}`;
    return new StartError(
      `Cannot use the data directory "${directory}": ${who} has it open; stop that server, or use another --data`,
      { cause: error },
    );
  }
  if (error instanceof StoreUnusableError || error instanceof RecordDamagedError) {
    return new StartError(`${error.message} (data directory "${directory}")`, { cause: error });
  }
  return error;
}
