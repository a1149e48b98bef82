/** A program that the benchmark starts, waits for until it is ready, and ends by its process id. */

/** A running program. */
export interface Program extends AsyncDisposable {
  readonly pid: number;
  /** The match of the pattern in the line that shows that it is ready. */
  readonly ready: RegExpExecArray;
}

/** The programs that run now. */
const running = new Set<Deno.ChildProcess>();

/** Ends all programs, for a benchmark that a signal ends. Resolves when they have ended. */
export async function endPrograms(): Promise<void> {
  await Promise.all([...running].map((child) => {
    child.kill("SIGTERM");
    return child.status;
  }));
}

/**
 * Starts a program and resolves once a line of its stderr matches.
 *
 * @throws {Error} when it ends before, with its stderr
 */
export async function startProgram(command: string, args: readonly string[], ready: RegExp): Promise<Program> {
  const child = new Deno.Command(command, {
    args: [...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  running.add(child);
  child.status.finally(() => running.delete(child));
  const log = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let stderr = "";
  let match: RegExpExecArray | null = null;
  while (match === null) {
    const { done, value } = await log.read();
    if (done) throw new Error(`"${command}" ended before it was ready: ${stderr}`);
    stderr += value;
    match = ready.exec(stderr);
  }
  // Reads to the end. Otherwise a program that writes much would wait for its reader.
  const drained = (async () => {
    while (!(await log.read()).done);
  })();
  return {
    pid: child.pid,
    ready: match,
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGTERM");
      } catch (error) {
        if (!(error instanceof TypeError)) throw error; // It has ended by itself.
      }
      await Promise.all([child.status, drained]);
    },
  };
}

/**
 * Starts a TypeScript program of this repository with the Deno that runs the benchmark.
 *
 * @param flags of Deno, in addition to all permissions
 */
export function startDeno(
  file: string,
  args: readonly string[],
  ready: RegExp,
  flags: readonly string[] = [],
): Promise<Program> {
  const path = new URL(`../${file}`, import.meta.url).pathname;
  return startProgram(Deno.execPath(), ["run", "--quiet", "--no-prompt", "-A", ...flags, path, ...args], ready);
}
