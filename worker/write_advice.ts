/** The advice for users when the data directory cannot be written. */
import { errnoOf } from "../base/errno.ts";

/** The error of a store whose data directory was deleted or replaced after it was opened. */
export function directoryGone(): Error {
  return Object.assign(new Error("The data directory was deleted or replaced"), { code: "ENOENT", isGone: true });
}

/** Returns what to do when a file of the data directory cannot be written. */
export function writeAdvice(error: unknown): string {
  if (error instanceof Error && "isGone" in error) return "it was deleted or replaced: ask its operator to put it back";
  if (error instanceof Deno.errors.NotCapable) return "run the program with permission to read and write it";
  switch (errnoOf(error)) {
    case "EACCES":
    case "EPERM":
      return "make the server's user the owner of the directory and of everything in it";
    case "EEXIST":
    case "ENOENT":
    case "ENOTDIR":
    case "ELOOP":
    case "ENAMETOOLONG":
      return "correct its path";
    case "EMFILE":
    case "ENFILE":
      return "wait until fewer files are open";
    default:
      return "free space on its disk or repair the disk";
  }
}
