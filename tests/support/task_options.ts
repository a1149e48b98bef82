// deno-lint-ignore-file no-console -- for programs for developers, which print their help
/** The options of a task for developers: prints the help, and refuses an option that the task does not have. */
import { parseArgs, type ParseArgsConfig } from "node:util";

/** The exit code for a command line that is not valid. */
const EXIT_USAGE = 2;

/**
 * Parses the arguments of a task. With `--help` it prints the help and ends the program, and so does a wrong option.
 *
 * @param args the arguments; `deno task` passes a first `--` on
 * @param help the help, which begins with `Usage:`
 */
export function taskOptions<const Config extends Omit<ParseArgsConfig, "args" | "strict">>(
  args: readonly string[],
  help: string,
  config: Config,
): ReturnType<typeof parseArgs<Config & { readonly args: string[] }>> {
  const given = args[0] === "--" ? args.slice(1) : [...args];
  if (given.includes("--help")) {
    console.log(help);
    Deno.exit(0);
  }
  try {
    return parseArgs({ ...config, args: given });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    refuseOptions(error.message, help);
  }
}

/** Says what is wrong with the arguments, prints the help, and ends the program. */
export function refuseOptions(what: string, help: string): never {
  console.error(`${what}\n\n${help}`);
  Deno.exit(EXIT_USAGE);
}
