/** One process of a test run: `deno test` with a temporary directory of its own, which must be empty at its end. */

/** The result of a process. */
export interface Result {
  readonly output: string;
  readonly code: number;
  readonly seconds: number;
  /** The names that were left in the temporary directory. */
  readonly litter: readonly string[];
}

/** How long a process may print nothing, in milliseconds. The longest test takes a minute on a quiet machine. */
const SILENCE_MS = 600_000;

const running = new Set<Deno.ChildProcess>();

/** Kills the processes that run, for the case that the whole run is interrupted. */
export function killRunning(): void {
  for (const child of running) child.kill("SIGKILL");
}

/**
 * Runs `deno test` to its end.
 *
 * @param args the arguments after `deno test`
 * @param directory the temporary directory of the process; it is made, and removed at the end
 */
export async function runDenoTest(args: readonly string[], directory: string): Promise<Result> {
  await Deno.mkdir(directory);
  // Tests run jobs as other users, who must reach their directories.
  await Deno.chmod(directory, 0o755);
  const begin = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "--allow-all", ...args],
    env: { TMPDIR: directory, NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  running.add(child);
  let output = "";
  const watchdog = () => {
    output += `\nThe process printed nothing for ${
      SILENCE_MS / 1_000
    } s and was killed. The last line above is its last test.\n`;
    child.kill("SIGKILL");
  };
  let timer = setTimeout(watchdog, SILENCE_MS);
  const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      output += text;
      clearTimeout(timer);
      timer = setTimeout(watchdog, SILENCE_MS);
    }
  };
  const [{ code }] = await Promise.all([child.status, read(child.stdout), read(child.stderr)]);
  clearTimeout(timer);
  running.delete(child);
  const litter = [...Deno.readDirSync(directory)].map(({ name }) => name);
  await Deno.remove(directory, { recursive: true });
  return { output, code, seconds: (performance.now() - begin) / 1_000, litter };
}
