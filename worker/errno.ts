/** Error numbers of Linux by name and in words: errno(3), strerror(3). */
import { constants } from "node:os";
import { errorCode } from "../base/error_code.ts";

/** The words of the GNU C library for what a start can meet. */
const WORDS: Readonly<Record<string, string>> = {
  E2BIG: "Argument list too long",
  EACCES: "Permission denied",
  EAGAIN: "Resource temporarily unavailable",
  EINVAL: "Invalid argument",
  EIO: "Input/output error",
  EISDIR: "Is a directory",
  ELIBBAD: "Accessing a corrupted shared library",
  ELOOP: "Too many levels of symbolic links",
  EMFILE: "Too many open files",
  ENAMETOOLONG: "File name too long",
  ENFILE: "Too many open files in system",
  ENODEV: "No such device",
  ENOENT: "No such file or directory",
  ENOEXEC: "Exec format error",
  ENOMEM: "Cannot allocate memory",
  ENOSPC: "No space left on device",
  ENOTDIR: "Not a directory",
  EPERM: "Operation not permitted",
  EROFS: "Read-only file system",
  ESTALE: "Stale file handle",
  ETIMEDOUT: "Connection timed out",
  ETXTBSY: "Text file busy",
};

const NAMES = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));

/** The name of the error number of a failed call, such as `EACCES`; undefined where it had none. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = errorCode(error);
  if (code !== undefined) return code;
  // Deno 2.9 knows no name for some, such as 26 (ETXTBSY), and gives the number in its text alone.
  return NAMES.get(Number(/\(os error ([0-9]+)\)/.exec(error.message)?.[1]));
}

/** An error number in words, such as `Permission denied`; its name where it has no words here. */
export function errnoWords(errno: string | undefined): string {
  return errno === undefined ? "unknown error" : WORDS[errno] ?? errno;
}

/** The error number that a program of the C locale means by its words; undefined where they are other words. */
export function errnoOfWords(words: string): string | undefined {
  const wanted = words.trim().toLowerCase();
  const known = Object.entries(WORDS).find(([, known]) => known.toLowerCase() === wanted)?.[0];
  // Shells have words of their own for this one.
  return known ?? (/not found$|no such file/.test(wanted) ? "ENOENT" : undefined);
}

/** What helps where a file cannot be written and its disk is not why; undefined where it may be. */
export function writeAdvice(error: unknown): string | undefined {
  if (error instanceof Deno.errors.NotCapable) return "run the program with the permissions to read and write it";
  switch (errnoOf(error)) {
    case "EACCES":
    case "EPERM":
      return "let the server's user own all of it";
    case "EEXIST":
    case "ENOENT":
    case "ENOTDIR":
    case "ELOOP":
    case "ENAMETOOLONG":
      return "mend its path";
    case "EMFILE":
    case "ENFILE":
      return "wait until fewer files are open";
    default:
      return undefined;
  }
}
