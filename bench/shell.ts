/** Other programs that the benchmark runs to their end. */

/** Returns true when a command is installed. */
export async function hasCommand(command: string): Promise<boolean> {
  const { success } = await new Deno.Command("sh", { args: ["-c", `command -v ${command}`], stdout: "null" }).output();
  return success;
}

/**
 * Runs a command, and returns its standard output.
 *
 * @throws {Error} when it fails, with its standard error
 */
export async function checked(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    stdin: "null",
    ...options,
  }).output();
  const decoder = new TextDecoder();
  if (code !== 0) throw new Error(`"${command}" exited with ${code}: ${decoder.decode(stderr).trim()}`);
  return decoder.decode(stdout);
}
