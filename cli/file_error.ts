/** Why a file cannot be read: the reason, and the part of its path that fails. */

import { errorCode } from "../base/error_code.ts";

/** The reasons that people meet, in words. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EISDIR: "it is a directory",
  ENOTDIR: "not a directory",
  ELOOP: "too many symbolic links",
  ENAMETOOLONG: "the name is too long",
};

/**
 * Explains why a file could not be read. Where a directory above it is the reason, the explanation names that one.
 *
 * @param error what reading the file threw
 */
export async function explainReadError(path: string, error: unknown): Promise<string> {
  const above = await failingDirectory(path);
  return above === undefined ? reason(error) : `${reason(above.error)}: "${above.path}"`;
}

function reason(error: unknown): string {
  const code = errorCode(error) ?? "";
  const text = error instanceof Error ? error.message : String(error);
  return Object.hasOwn(REASONS, code) ? `${REASONS[code]} (${code})` : text;
}

/** The first directory on the way to the file that is not there, is none, or may not be entered. */
async function failingDirectory(path: string): Promise<{ readonly path: string; readonly error: unknown } | undefined> {
  const names = path.split("/");
  let before = names[0] === "" ? "/" : ".";
  for (let count = 1; count < names.length; count++) {
    const directory = names.slice(0, count).join("/") || before;
    try {
      await Deno.stat(directory);
    } catch (error) {
      // Not allowed to look into a directory: that one is the reason, not what is in it.
      return { path: error instanceof Deno.errors.PermissionDenied ? before : directory, error };
    }
    before = directory;
  }
  try {
    await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return { path: before, error };
  }
  return undefined;
}
