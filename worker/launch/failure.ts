/** The reasons why a program cannot be started, in words for the caller: the error number, and the path it concerns. */
import { accessSync, constants, existsSync } from "node:fs";
import { quote } from "../../base/quote.ts";
import { MAX_INTERPRETERS, readFormat } from "./format.ts";
import { errnoMessage, errnoOf } from "../../base/errno.ts";

/** The kind of a failed start. */
export type StartErrorCode =
  | "COMMAND_NOT_FOUND"
  | "NOT_EXECUTABLE"
  | "CWD_NOT_FOUND"
  | "CWD_NOT_ENTERABLE"
  | "USER_NOT_FOUND"
  | "SPAWN_FAILED";

/** Why a start failed. */
export interface StartFailure {
  readonly errorCode: StartErrorCode;
  /** The reason, in words for the caller. */
  readonly error: string;
}

/** The user and groups of a process. */
export interface Credentials {
  readonly uid: number;
  readonly gid: number;
  /** The supplementary groups. */
  readonly groups: readonly number[];
}

/** The program to execute, and the user who executes it. */
export interface ExecTarget {
  /** The name that the user gave. */
  readonly name: string;
  /** An absolute path. */
  readonly path: string;
  /** The user of the process. Absent: the server's own user. */
  readonly credentials?: Credentials | undefined;
  /** True if it has other mounts than the server. */
  readonly isIsolated?: boolean;
}

/** The directories of the host that an isolated job does not see; docs/users-and-isolation.md. */
const HIDDEN = "an isolated job has a /tmp and /dev/shm of its own, and sees no /run if it is strict";

/** Returns a failure for a reason other than an error of execve(2). */
export function startFailure(command: string, errorCode: StartErrorCode, why: string): StartFailure {
  return { errorCode, error: `Command ${quote(command)} could not be started: ${why}` };
}

/** Returns the failure of a command that does not exist. */
export function commandNotFound(command: string): StartFailure {
  return {
    errorCode: "COMMAND_NOT_FOUND",
    error: `Command ${quote(command)} not found: give its path, or a name that is in the job's PATH`,
  };
}

/** Returns why execve(2) failed for a program that was found. */
export function execFailure(target: ExecTarget, errno: string | undefined): StartFailure {
  // The program was deleted after it was found.
  if (errno === "ENOENT" && !target.isIsolated && !existsSync(target.path)) return commandNotFound(target.name);
  const failure = notExecutable(target.name, errnoMessage(errno), detailOf(target, errno));
  return errno !== undefined && OF_THE_FILE.has(errno) ? failure : { ...failure, errorCode: "SPAWN_FAILED" };
}

/** The errors of execve(2) about the file itself. All others are about the moment or the arguments. */
const OF_THE_FILE = new Set("EACCES EPERM ENOENT ENOEXEC ENOTDIR ELOOP ENAMETOOLONG EINVAL EISDIR ELIBBAD".split(" "));

/** Returns the failure of a program that exists but cannot be executed. */
export function notExecutable(command: string, why: string, detail?: string): StartFailure {
  const error = `Cannot execute command ${quote(command)}: ${why}`;
  return { errorCode: "NOT_EXECUTABLE", error: detail === undefined ? error : `${error}: ${detail}` };
}

/**
 * Returns why a working directory cannot be entered.
 *
 * @param target the user who cannot enter it; default: the server
 */
export function cwdFailure(
  cwd: string,
  errno: string | undefined,
  target: Pick<ExecTarget, "credentials" | "isIsolated"> = {},
): StartFailure {
  const { credentials, isIsolated } = target;
  if (errno === "ENOENT" && isIsolated) {
    return { errorCode: "CWD_NOT_FOUND", error: `Working directory ${quote(cwd)} is hidden: ${HIDDEN}` };
  }
  if (errno === "ENOENT") {
    const error = `Working directory ${quote(cwd)} not found: create it or name another`;
    return { errorCode: "CWD_NOT_FOUND", error };
  }
  const closed = errno === "EACCES" ? closedDirectory(`${cwd}/.`, credentials) : undefined;
  const detail = closed === undefined ? "" : `: ${mayNotEnter(closed)}`;
  const error = `Cannot enter working directory ${quote(cwd)}: ${errnoMessage(errno)}${detail}`;
  return { errorCode: "CWD_NOT_ENTERABLE", error };
}

/** Returns why the server's own user cannot enter a directory. Undefined if it can. */
export function cwdErrno(cwd: string): string | undefined {
  try {
    if (!Deno.statSync(cwd).isDirectory) return "ENOTDIR";
    accessSync(cwd, constants.X_OK);
    return undefined;
  } catch (error) {
    return errnoOf(error);
  }
}

/** Returns the words for a directory that may not be searched. */
export function mayNotEnter(directory: string): string {
  return `directory ${quote(directory)} may not be entered`;
}

/**
 * Returns the first directory in the path of a file that may not be searched, by its mode. Symbolic links in the path are
 * not resolved: the caller may not know their targets.
 *
 * @returns undefined if the path ends earlier, at a name that does not exist, is not a directory, or is a loop of links
 */
export function closedDirectory(path: string, credentials?: Credentials): string | undefined {
  const parts = path.split("/").slice(1, -1).filter((part) => part !== "");
  for (let length = 0; length <= parts.length; length++) {
    const directory = `/${parts.slice(0, length).join("/")}`;
    if (!mayExecute(directory, credentials)) return isDirectoryOrHidden(directory) ? directory : undefined;
  }
  return undefined;
}

/** Returns true for a directory, and for a link to a path that the server may not read. */
function isDirectoryOrHidden(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    return errnoOf(error) === "EACCES";
  }
}

/** Returns true if a file may be executed, or a directory searched: path_resolution(7). It ignores access control lists. */
function mayExecute(path: string, credentials?: Credentials): boolean {
  try {
    if (credentials === undefined) {
      accessSync(path, constants.X_OK);
      return true;
    }
    const { mode, uid, gid, isDirectory } = Deno.statSync(path);
    const bits = mode ?? 0;
    if (credentials.uid === 0) return isDirectory || (bits & 0o111) !== 0;
    if (uid === credentials.uid) return (bits & 0o100) !== 0;
    const isOfGroup = gid === credentials.gid || credentials.groups.includes(gid ?? -1);
    return (bits & (isOfGroup ? 0o010 : 0o001)) !== 0;
  } catch {
    return false;
  }
}

/** Returns the details of an error number: the path it concerns, or what to do. */
function detailOf({ name, path, credentials, isIsolated }: ExecTarget, errno: string | undefined): string | undefined {
  switch (errno) {
    case "EACCES": {
      // For a name from PATH, the caller did not name the directories.
      const closed = name.includes("/") ? closedDirectory(path, credentials) : undefined;
      if (closed !== undefined) return mayNotEnter(closed);
      if (!mayExecute(path, credentials)) return "it is not executable: set its execute bit";
      if (isOnNoexec(path)) return 'its file system is mounted with "noexec"';
      return interpreterDetail(path, "cannot be executed", credentials);
    }
    case "ENOENT":
      return interpreterDetail(path, "was not found") ?? (isIsolated ? HIDDEN : "it or its interpreter was not found");
    case "ELOOP":
    case "ENOTDIR":
    case "ENAMETOOLONG":
      return interpreterDetail(path, "cannot be reached");
    case "ENOEXEC":
      return "it is neither a script nor a whole program for this machine";
    case "ETXTBSY":
      return "another process is writing to it";
    case "EAGAIN":
      return "its user has as many processes as the limit allows";
    case "E2BIG":
      return "shorten its arguments and environment, or raise the server's stack limit";
    default:
      return undefined;
  }
}

function interpreterDetail(path: string, what: string, credentials?: Credentials): string | undefined {
  let interpreter: string | undefined = path;
  for (let depth = 0; depth < MAX_INTERPRETERS; depth++) {
    interpreter = readFormat(interpreter)?.interpreter;
    if (interpreter === undefined) return undefined;
    const isUsable = mayExecute(interpreter, credentials) && isRegularFile(interpreter) && !isOnNoexec(interpreter);
    if (!isUsable) return `its interpreter ${quote(interpreter)} ${what}`;
  }
  return undefined;
}

function isRegularFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Returns true if a file is on a mount with "noexec"; proc_pid_mountinfo(5). */
function isOnNoexec(path: string): boolean {
  try {
    const real = Deno.realPathSync(path);
    const mounts = Deno.readTextFileSync("/proc/thread-self/mountinfo").split("\n").map((line) => line.split(" "));
    const under = mounts.filter(([, , , , point = ""]) =>
      point !== "" && `${real}/`.startsWith(`${point}/`.replace("//", "/"))
    );
    // The last of the longest mount points covers the others.
    const mount = under.reduce<string[]>(
      (best, next) => (next[4] ?? "").length >= (best[4] ?? "").length ? next : best,
      [],
    );
    return (mount[5] ?? "").split(",").includes("noexec");
  } catch {
    return false;
  }
}
