/** The data directory: where it is, how it is made, and which errors are about it. */
import { failureReason } from "../base/errno.ts";
import { GROUP_MODES } from "../base/file_modes.ts";
import { DirectoryInUseError, RecordDamagedError, StoreUnusableError } from "../job_host.ts";
import { checkWriteAccess } from "../certs/access_checks.ts";
import { checkDataDirectory, HOST_DIRECTORIES } from "./file_trust.ts";
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

/**
 * Checks that a data directory exists, for a command about one that is there already.
 *
 * @param action such as `stop job hosts`
 * @throws {StartError} when it does not
 */
export async function checkDirectoryThere(directory: string, action: string): Promise<void> {
  if (await Deno.stat(directory).then(({ isDirectory }) => isDirectory, () => false)) return;
  throw new StartError(`Cannot ${action}: "${directory}" is not a data directory`);
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
 * @param hostUid the user of the job host, when it is another one
 * @throws {StartError} when it cannot be made, or the server's user cannot write in it
 * @throws {CertificateError} when another user could change it
 */
export async function makeDataDirectory(directory: string, hostUid?: number): Promise<void> {
  await Deno.mkdir(directory, { recursive: true, mode: 0o700 }).catch((error) => {
    throw new StartError(`Cannot make the data directory "${directory}": ${failureReason(error)}`);
  });
  await checkDataDirectory(directory, hostUid);
  await checkWritable(directory);
}

/** The bits of the umask that would take from the group what it needs: reading, and entering directories. */
const GROUP_BITS = 0o050;

/**
 * Makes and checks the directories of a job host below the data directory of a server whose user is another one. Only the
 * server can make new entries there, unless this process is root.
 *
 * @throws {StartError} when this process cannot make a directory or write in it, or its umask keeps files from its group
 * @throws {CertificateError} when a third user could change a directory
 */
export async function checkSharedDirectory(directory: string, serverUid: number): Promise<void> {
  for (const name of HOST_DIRECTORIES) {
    const path = `${directory}/${name}`;
    await Deno.mkdir(path, { recursive: true, mode: GROUP_MODES.directory }).catch((error) => {
      throw new StartError(
        `Cannot make "${path}" for the job host: ${failureReason(error)}; make it with user ${Deno.uid()} as owner`,
        { cause: error },
      );
    });
    await checkWriteAccess(path, serverUid);
    await checkWritable(path);
  }
  const umask = Deno.umask();
  if ((umask & GROUP_BITS) === 0) return;
  throw new StartError(
    `Cannot share files with the server: the umask ${
      umask.toString(8).padStart(4, "0")
    } keeps them from the group; set 0022`,
  );
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
