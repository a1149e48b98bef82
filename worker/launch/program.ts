/** Finds the program of a command, as execvp(3) does, and checks that it can be executed. */
import { accessSync, constants } from "node:fs";
import { quote } from "../../base/quote.ts";
import {
  closedDirectory,
  commandNotFound,
  type Credentials,
  cwdFailure,
  execFailure,
  mayNotEnter,
  notExecutable,
  type StartFailure,
} from "./failure.ts";
import { readFormat } from "./format.ts";
import { isMissing } from "../linux/absence.ts";
import { errnoMessage, errnoOf } from "../../base/errno.ts";

/** The errors at which execvp(3) continues with the next directory of PATH. */
const SKIPPED_ERRORS = ["ENOENT", "ENOTDIR", "ENODEV", "ESTALE", "ETIMEDOUT"];

/**
 * Finds the program of a command as execvp(3) does. A name with a slash is a path, relative to `cwd`. Any other name is
 * searched in PATH. A file that may not be read is never reported as "not found".
 *
 * @param credentials the user who will execute it, if not the server's own. A path that this user may not read is
 * reported as closed, whether it exists or not
 * @returns the path of the program, or why it cannot be started
 */
export function findProgram(
  command: string,
  cwd: string,
  path: string,
  credentials?: Credentials,
): string | StartFailure {
  const isClosed = (path: string) => credentials !== undefined && closedDirectory(path, credentials) !== undefined;
  const workingDirectory = statOrErrno(cwd);
  if (typeof workingDirectory === "string") {
    return cwdFailure(cwd, isClosed(cwd) ? "EACCES" : workingDirectory, { credentials });
  }
  if (!workingDirectory.isDirectory) {
    return { errorCode: "CWD_NOT_FOUND", error: `Working directory ${quote(cwd)} is not a directory: name another` };
  }
  const from = (name: string) => name.startsWith("/") ? name : `${cwd}/${name}`;
  if (command.includes("/")) {
    const program = checkProgram(command, from(command));
    if (typeof program === "string" || !isClosed(from(command))) return program;
    return execFailure({ name: command, path: from(command), credentials }, "EACCES");
  }
  let found: StartFailure | undefined;
  let closed: string | undefined;
  for (const directory of path.split(":")) {
    const candidate = from(`${directory === "" ? "." : directory}/${command}`);
    if (isMissing(candidate)) continue;
    const info = statOrErrno(candidate);
    if (typeof info === "string" && SKIPPED_ERRORS.includes(info)) continue;
    if (info === "EACCES") {
      found ??= notExecutable(command, errnoMessage(info), "a directory of its PATH may not be entered");
      continue;
    }
    if (typeof info === "string") return notExecutable(command, errnoMessage(info));
    const program = checkProgram(command, candidate, info);
    // The mode forbids it, but an access control list may allow it. So it is the last choice.
    if (typeof program === "string" && isClosed(candidate)) {
      closed ??= program;
      continue;
    }
    // After EACCES (a directory, or a file without execute bit) the search continues.
    if (typeof program === "string" || (info.isFile && isExecutable(candidate))) return program;
    found ??= program;
  }
  return closed ?? found ?? commandNotFound(command);
}

/** Returns the path of a program after checking its type, mode and format, or why it cannot be executed. */
function checkProgram(
  name: string,
  path: string,
  info: Deno.FileInfo | string = statOrErrno(path),
): string | StartFailure {
  if (info === "ENOENT") return commandNotFound(name);
  if (info === "EACCES") {
    const closed = closedDirectory(path);
    return notExecutable(name, errnoMessage(info), closed && mayNotEnter(closed));
  }
  if (typeof info === "string") return notExecutable(name, errnoMessage(info));
  if (info.isDirectory) {
    return { errorCode: "NOT_EXECUTABLE", error: `Command ${quote(name)} is a directory: name a program` };
  }
  if (!info.isFile) return notExecutable(name, errnoMessage("EACCES"), "it is not a regular file");
  if (!isExecutable(path)) return execFailure({ name, path }, "EACCES");
  if (!isFormatExecutable(path, info)) return execFailure({ name, path }, "ENOEXEC");
  return path;
}

/** The programs whose format is known to be executable, by file and time of change: jobs start the same few often. */
const known = new Set<string>();
const MAX_KNOWN = 1_000;

/** Returns true if the kernel can execute the format of a file, and if the file cannot be read. */
function isFormatExecutable(path: string, { dev, ino, size, mtime }: Deno.FileInfo): boolean {
  const key = `${dev} ${ino} ${size} ${mtime?.getTime()}`;
  if (known.has(key)) return true;
  const format = readFormat(path);
  if (format === undefined) return true;
  // The result for a script also depends on its interpreter, so it is not kept.
  if (format.isExecutable && !format.isScript) {
    if (known.size >= MAX_KNOWN) known.clear();
    known.add(key);
  }
  return format.isExecutable;
}

/** Returns the information about a file, or the name of the error number. */
function statOrErrno(path: string): Deno.FileInfo | string {
  try {
    return Deno.statSync(path);
  } catch (error) {
    return errnoOf(error) ?? "EIO";
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
