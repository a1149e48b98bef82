/** The temporary directory of a test. It is removed with all its contents at the end of the block that holds it. */

/** A directory that `await using` removes. */
export interface TempDir extends AsyncDisposable {
  /** The absolute path. The test may fill, replace or remove the directory. */
  readonly path: string;
}

/**
 * Makes an empty directory with mode 0700.
 *
 * @param mode the mode of the directory where other users must reach it
 */
export async function tempDir({ mode = 0o700 }: { readonly mode?: number } = {}): Promise<TempDir> {
  const path = await Deno.makeTempDir({ prefix: "teleport_test_" });
  await Deno.chmod(path, mode);
  return {
    path,
    async [Symbol.asyncDispose]() {
      try {
        await Deno.remove(path, { recursive: true });
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    },
  };
}
