/** Programs on this machine that a command starts, such as sh(1). */
import type { InputFile, LocalProgram } from "./io.ts";

/**
 * Starts a program, with the directory and environment of this one.
 *
 * @throws {Deno.errors.NotFound} when the program does not exist
 */
export function startProgram(command: string, args: readonly string[]): LocalProgram {
  const child = spawn(command, { args: [...args], stdin: "piped", stdout: "piped", stderr: "piped" });
  const input = child.stdin.getWriter();
  // Each write and the end report the error themselves.
  input.closed.catch(() => {});
  return {
    write: (data) => input.write(data),
    endInput: () => input.close().catch(() => {}),
    stdout: inputFile(child.stdout),
    stderr: inputFile(child.stderr),
    ended: child.status.then(({ code }) => code),
    kill(signal) {
      try {
        child.kill(signal);
      } catch (error) {
        // The program has ended already.
        if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
      }
    },
  };
}

/**
 * Runs a command with sh(1), with the files of this process.
 *
 * @param variables variables in addition to the environment
 * @returns its exit code, or 128 + n after signal n
 */
export async function runShell(command: string, variables: Readonly<Record<string, string>>): Promise<number> {
  const files = { stdin: "inherit", stdout: "inherit", stderr: "inherit" } as const;
  const { code } = await spawn("sh", { args: ["-c", command], env: { ...variables }, ...files }).status;
  return code;
}

/** Starts a program. Deno lets only a program with all permissions pass on variables such as LD_LIBRARY_PATH. */
function spawn(command: string, options: Deno.CommandOptions): Deno.ChildProcess {
  try {
    return new Deno.Command(command, options).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    return new Deno.Command(command, { ...options, clearEnv: true }).spawn();
  }
}

/** Reads a stream as a file. */
function inputFile(stream: ReadableStream<Uint8Array>): InputFile {
  const reader = stream.getReader();
  let rest = new Uint8Array();
  return {
    async read(buffer) {
      while (rest.length === 0) {
        const { done, value } = await reader.read();
        if (done) return null;
        rest = new Uint8Array(value.buffer as ArrayBuffer, value.byteOffset, value.length);
      }
      const taken = rest.subarray(0, buffer.length);
      buffer.set(taken);
      rest = rest.subarray(taken.length);
      return taken.length;
    },
  };
}
