/** Explains why a file cannot be read: the reason, and the part of its path that fails. */
import { failureReason } from "../base/errno.ts";

/**
 * Explains why a file could not be read. When a directory above the file is the reason, the explanation names it.
 *
 * @param error the error of reading the file
 */
export async function explainReadError(path: string, error: unknown): Promise<string> {
  const directory = await failingDirectory(path);
  return directory === undefined ? failureReason(error) : `${failureReason(directory.error)}: "${directory.path}"`;
}

/** Returns the first directory of the path that does not exist, is not a directory, or cannot be entered. */
async function failingDirectory(path: string): Promise<{ readonly path: string; readonly error: unknown } | undefined> {
  const names = path.split("/");
  let parent = names[0] === "" ? "/" : ".";
  for (let count = 1; count < names.length; count++) {
    const directory = names.slice(0, count).join("/") || parent;
    try {
      await Deno.stat(directory);
    } catch (error) {
      // Without permission, the parent is the directory that cannot be entered.
      return { path: error instanceof Deno.errors.PermissionDenied ? parent : directory, error };
    }
    parent = directory;
  }
  try {
    await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return { path: parent, error };
  }
  return undefined;
}
