/** Checks that other users cannot change a file or read a secret: its owner and mode, and those of all directories above. */
import { dirname } from "node:path";
import { hasAccessList } from "./access_list.ts";
import { hasOnly } from "./private_group.ts";
import { shellWord } from "../text/escape_terminal.ts";

/**
 * The reason why a file is not trusted.
 *
 * - `FOREIGN_OWNER`: the file or a directory above it belongs to another user
 * - `WRITABLE`: other users can change the file or a directory above it
 * - `READABLE`: other users can read a secret
 */
export type FileAccessCode = "FOREIGN_OWNER" | "WRITABLE" | "READABLE";

/** Other users could change a file or read a secret. The message has the path and the command that corrects it. */
export class FileAccessError extends Error {
  override readonly name = "FileAccessError";
  readonly code: FileAccessCode;
  /** The file or directory to correct. */
  readonly path: string;

  constructor(code: FileAccessCode, path: string, message: string) {
    super(message);
    this.code = code;
    this.path = path;
  }
}

/** Options of a check. */
export interface AccessOptions {
  /** The user who trusts the file. Absent: the user of this process. */
  readonly uid?: number;
  /** Another user who may own and change it. */
  readonly otherUid?: number;
}

/** Options of the check of a secret. */
export interface SecretOptions extends AccessOptions {
  /** True to accept a readable secret below a directory that other users cannot enter. False by default. */
  readonly isBehindDirectories?: boolean;
}

const GROUP_WRITES = 0o020;
const OTHERS_WRITE = 0o002;
const GROUP_READS = 0o040;
/** Every right of others, and every right of the group except reading. */
const OTHERS_OR_MORE = 0o037;
const STICKY = 0o1000;

/** The most symbolic links to follow, as in Linux (path_resolution(7)). */
const MAX_LINKS = 40;

/**
 * Checks that only root and this user can change a file or directory. The check covers each directory of the path, and
 * follows symbolic links.
 *
 * A writable directory is accepted when it is sticky, such as `/tmp`. A group may write when it has no other members and
 * the file has no access control list. A path that does not exist is accepted.
 *
 * @throws {FileAccessError} when other users can change it
 * @throws {Deno.errors.PermissionDenied} when this process may not enter a directory of the path
 */
export function checkWriters(path: string, options: AccessOptions = {}): void {
  const own = options.uid ?? Deno.uid() ?? 0;
  // The owner of the root directory is root, but can have another number in a user namespace.
  const trusted = new Set([own, 0, Deno.lstatSync("/").uid ?? 0, options.otherUid ?? own]);
  const rest = absolute(path).split("/").filter((name) => name !== "");
  let at = "/";
  let links = 0;
  checkEntry(at, Deno.lstatSync(at), trusted);
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === "." || name === "..") {
      if (name === "..") at = dirname(at);
      continue;
    }
    const here = at === "/" ? `/${name}` : `${at}/${name}`;
    const info = lookAt(here);
    if (info === undefined) return;
    // The advice does not change the owner of directories further up, such as a home directory.
    checkEntry(here, info, trusted, rest.length <= 1);
    if (!info.isSymlink) {
      at = here;
      continue;
    }
    if (++links > MAX_LINKS) throw new Deno.errors.FilesystemLoop(`Cannot follow "${path}": too many symbolic links`);
    const target = Deno.readLinkSync(here);
    if (target.startsWith("/")) at = "/";
    rest.unshift(...target.split("/").filter((part) => part !== ""));
  }
}

/**
 * Checks that only this user and root can read and write a secret. A group may read a secret of root, because Kubernetes
 * gives secrets to users in this way.
 *
 * @throws {FileAccessError} when others can read or change it
 * @throws {Deno.errors.NotFound} when the file does not exist
 */
export function checkSecret(path: string, options: SecretOptions = {}): void {
  const uid = options.uid ?? Deno.uid() ?? 0;
  const info = Deno.statSync(path);
  const mode = permissions(info);
  const isForGroup = info.uid === 0 && uid !== 0;
  if ((mode & OTHERS_OR_MORE) === 0 && ((mode & GROUP_READS) === 0 || isForGroup)) return;
  if (options.isBehindDirectories && !isReachable(path)) return;
  throw new FileAccessError(
    "READABLE",
    path,
    `Cannot trust "${path}": other users can read or change it (mode ${octal(mode)}); run chmod 600 ${
      shellWord(path)
    }. ` +
      "For a secret of Docker or Kubernetes, set mode 0400 and the server's user as owner",
  );
}

/**
 * @param trusted the users who may own it, this user first
 * @param isNear true for the file and its directory
 */
function checkEntry(path: string, info: Deno.FileInfo, trusted: ReadonlySet<number>, isNear = false): void {
  if (info.uid !== null && !trusted.has(info.uid)) {
    const [own = 0] = trusted;
    const chown = isNear ? `run chown ${info.isSymlink ? "-h " : ""}${own} ${shellWord(path)}, or ` : "";
    throw new FileAccessError(
      "FOREIGN_OWNER",
      path,
      `Cannot trust "${path}": uid ${info.uid} owns it; ` +
        `${chown}use a path that you or root own, or run this program as that user`,
    );
  }
  // The mode of a link has no meaning. Its directory decides who can replace it.
  if (info.isSymlink) return;
  const mode = permissions(info);
  const isSticky = info.isDirectory && ((info.mode ?? 0) & STICKY) !== 0;
  const byOthers = (mode & OTHERS_WRITE) !== 0;
  if (isSticky) return;
  const groupWrites = (mode & GROUP_WRITES) !== 0 && info.gid !== null;
  if (groupWrites && !byOthers && hasAccessList(path)) throw writableByList(path);
  const byGroup = groupWrites && !hasOnly(info.gid!, trusted);
  if (!byOthers && !byGroup) return;
  throw new FileAccessError(
    "WRITABLE",
    path,
    `Cannot trust "${path}": ${byOthers ? "every user" : `group ${info.gid}`} can change it (mode ${octal(mode)}); ` +
      `run chmod ${byOthers ? "go-w" : "g-w"} ${shellWord(path)}`,
  );
}

function writableByList(path: string): FileAccessError {
  return new FileAccessError(
    "WRITABLE",
    path,
    `Cannot trust "${path}": its access control list lets other users change it; run setfacl -b ${shellWord(path)}`,
  );
}

const OTHERS_ENTER = 0o011;

/** Returns true when others can enter every directory above a file. */
function isReachable(path: string): boolean {
  let at = dirname(Deno.realPathSync(path));
  for (;;) {
    if ((permissions(Deno.statSync(at)) & OTHERS_ENTER) === 0) return false;
    if (at === "/") return true;
    at = dirname(at);
  }
}

function lookAt(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}

function absolute(path: string): string {
  return path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
}

function permissions({ mode }: Deno.FileInfo): number {
  return (mode ?? 0) & 0o777;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}
