/** Finds the program of a command, as execvp(3) does. */
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
import { errnoOf, errnoWords } from "../errno.ts";

/** What execvp(3) passes over on its way through PATH. */
const PASSED_OVER = ["ENOENT", "ENOTDIR", "ENODEV", "ESTALE", "ETIMEDOUT"];

/**
 * Finds the program of a command as execvp(3) does: a name with a slash is a path (from `cwd`), any other is looked up
 * in PATH. A file that may not be looked at is never "not found".
 *
 * @param credentials of the user who will execute it, where that is another than the server's: what that user may not
 * look at is closed, whether it is there or not
 * @returns its path, or why it cannot be started
 */
export function findProgram(
  command: string,
  cwd: string,
  path: string,
  credentials?: Credentials,
): string | StartFailure {
  const isClosed = (path: string) => credentials !== undefined && closedDirectory(path, credentials) !== undefined;
  const where = look(cwd);
  if (typeof where === "string") return cwdFailure(cwd, isClosed(cwd) ? "EACCES" : where, { credentials });
  if (!where.isDirectory) {
    return { errorCode: "CWD_NOT_FOUND", error: `Working directory ${quote(cwd)} is not a directory: name another` };
  }
  const from = (name: string) => name.startsWith("/") ? name : `${cwd}/${name}`;
  if (command.includes("/")) {
    const program = checked(command, from(command));
    if (typeof program === "string" || !isClosed(from(command))) return program;
    return execFailure({ name: command, path: from(command), credentials }, "EACCES");
  }
  let found: StartFailure | undefined;
  let closed: string | undefined;
  for (const directory of path.split(":")) {
    const candidate = from(`${directory === "" ? "." : directory}/${command}`);
    const info = look(candidate);
    if (typeof info === "string" && PASSED_OVER.includes(info)) continue;
    if (info === "EACCES") {
      found ??= notExecutable(command, errnoWords(info), "a directory of its PATH may not be entered");
      continue;
    }
    if (typeof info === "string") return notExecutable(command, errnoWords(info));
    const program = checked(command, candidate, info);
    // Its mode says so; an access control list may say otherwise, so it is still better than nothing.
    if (typeof program === "string" && isClosed(candidate)) {
      closed ??= program;
      continue;
    }
    // A directory or a file without an execute bit is EACCES, behind which the search goes on.
    if (typeof program === "string" || (info.isFile && isExecutable(candidate))) return program;
    found ??= program;
  }
  return closed ?? found ?? commandNotFound(command);
}

/** The path of a program that can be executed as far as one can see. */
function checked(name: string, path: string, info: Deno.FileInfo | string = look(path)): string | StartFailure {
  if (info === "ENOENT") return commandNotFound(name);
  if (info === "EACCES") {
    const closed = closedDirectory(path);
    return notExecutable(name, errnoWords(info), closed && mayNotEnter(closed));
  }
  if (typeof info === "string") return notExecutable(name, errnoWords(info));
  if (info.isDirectory) {
    return { errorCode: "NOT_EXECUTABLE", error: `Command ${quote(name)} is a directory: name a program` };
  }
  if (!info.isFile) return notExecutable(name, errnoWords("EACCES"), "it is not a regular file");
  if (!isExecutable(path)) return execFailure({ name, path }, "EACCES");
  if (!hasFormat(path, info)) return execFailure({ name, path }, "ENOEXEC");
  return path;
}

/** Programs that can be executed, as they were when they were read: the same few are started again and again. */
const known = new Set<string>();
const MAX_KNOWN = 1_000;

/** Whether the kernel knows what to do with a file; true where it cannot be read. */
function hasFormat(path: string, { dev, ino, size, mtime }: Deno.FileInfo): boolean {
  const key = `${dev} ${ino} ${size} ${mtime?.getTime()}`;
  if (known.has(key)) return true;
  const format = readFormat(path);
  if (format === undefined) return true;
  // A script depends on its interpreter too.
  if (format.isExecutable && !format.isScript) {
    if (known.size >= MAX_KNOWN) known.clear();
    known.add(key);
  }
  return format.isExecutable;
}

function look(path: string): Deno.FileInfo | string {
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
