/** Builds programs of other projects with Go. */

/** A program, or the reason why it could not be built. */
export interface Built {
  readonly path: string;
  /** The reason why it is missing. Undefined when the program was built. */
  readonly missing: string | undefined;
}

/** The deadline of a build. Without a network, Go fails after a while. */
const BUILD_TIMEOUT_MS = 240_000;

/**
 * Builds a program in a directory that is removed when this process ends.
 *
 * @param module the module with its version, as `go install` takes it
 */
export async function buildWithGo(module: string, name: string): Promise<Built> {
  const dir = await Deno.makeTempDir({ prefix: `teleport_${name}_` });
  globalThis.addEventListener("unload", () => Deno.removeSync(dir, { recursive: true }));
  const built = (missing?: string) => ({ path: `${dir}/${name}`, missing });
  try {
    const { code, stderr } = await new Deno.Command("go", {
      args: ["install", module],
      env: { GOBIN: dir },
      stdin: "null",
      signal: AbortSignal.timeout(BUILD_TIMEOUT_MS),
    }).output();
    return built(
      code === 0 ? undefined : `"go install ${module}" failed: ${new TextDecoder().decode(stderr).slice(-200)}`,
    );
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return built("needs Go");
  }
}
