/** The error numbers of Linux, by name and in words: errno(3), strerror(3). */
import { constants } from "node:os";
import { errorCode } from "./error_code.ts";
import { errorMessage } from "./error_message.ts";

/** The messages of the GNU C library for the errors that a start can meet. */
const MESSAGES: Readonly<Record<string, string>> = {
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

/** Returns the name of an error number, such as `EACCES` for 13; undefined when Linux does not have the number. */
export function errnoName(number: number): string | undefined {
  return NAMES.get(number);
}

/** Returns the name of the error number of a failed call, such as `EACCES`; undefined when the error has none. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = errorCode(error);
  if (code !== undefined) return code;
  // Deno 2.9 has no name for some errors, such as 26 (ETXTBSY). Only its message has the number.
  return NAMES.get(Number(/\(os error ([0-9]+)\)/.exec(error.message)?.[1]));
}

/** Returns the message of an error number, such as `Permission denied`; its name when it has no message here. */
export function errnoMessage(errno: string | undefined): string {
  return errno === undefined ? "unknown error" : MESSAGES[errno] ?? errno;
}

/**
 * Returns the reason of a failed system call for an error text, such as `permission denied (EACCES)`. Deno's own message
 * repeats the path. Any other error gives its message.
 */
export function failureReason(error: unknown): string {
  const errno = errnoOf(error);
  const message = errnoMessage(errno);
  return errno === undefined || message === errno ? errorMessage(error) : `${message.toLowerCase()} (${errno})`;
}

/** Returns the error number for the message of a program in the C locale; undefined for any other message. */
export function errnoOfMessage(words: string): string | undefined {
  const wanted = words.trim().toLowerCase();
  const found = Object.entries(MESSAGES).find(([, message]) => message.toLowerCase() === wanted)?.[0];
  // Shells have their own messages for ENOENT.
  return found ?? (/not found$|no such file/.test(wanted) ? "ENOENT" : undefined);
}
