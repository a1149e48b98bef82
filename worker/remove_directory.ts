/** Deletes directories that may never have been made. */

/**
 * Deletes a directory with all that is in it. A directory that does not exist is as good as deleted.
 *
 * @throws {Error} when it cannot be deleted
 */
export async function removeDirectory(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
