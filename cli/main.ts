/** The whole command line as one function: arguments in, exit code out. */
import { CommanderError } from "commander";
import { checkArguments } from "../text/decoded.ts";
import { connectAs, type Environment, resolveConfig } from "./config.ts";
import type { Context } from "./context.ts";
import { errorExitCode, EXIT_CODE } from "./exit_code.ts";
import type { Io } from "./io.ts";
import { BrokenPipeError, createPrint } from "./print/print.ts";
import { type CommonFlags, createProgram, type Runner } from "./program.ts";
import { UsageError } from "../units/usage_error.ts";

/**
 * Runs the command that the arguments name.
 *
 * @param args what was typed behind the program's name
 * @param env the environment variables of `ENVIRONMENT_NAMES` that are set
 * @param io the machine it runs on
 * @returns the exit code, see `exit_code.ts`; nothing is thrown for what a user can cause
 *
 * @example
 * ```ts ignore
 * Deno.exit(await main(["status", "ID"], { HOME: "/home/ada" }, io));
 * ```
 */
export async function main(args: readonly string[], env: Environment, io: Io): Promise<number> {
  let exitCode: number = EXIT_CODE.OK;
  const contextFor = (flags: CommonFlags) => ({
    io,
    print: createPrint(io, env, { json: flags.output === "json" }),
    config: resolveConfig(flags, env),
  });
  const runner: Runner = {
    async local(flags, act) {
      exitCode = await act(contextFor(flags));
    },
    async call(flags, act) {
      const local = contextFor(flags);
      await using connection = await connectAs(io, local.config);
      const context: Context = { ...local, calls: connection.calls };
      exitCode = await act(context);
    },
  };
  // Commander writes without waiting: kept here until it can be awaited.
  const help = { stdout: "", stderr: "" };
  const program = createProgram(runner, {
    stdout: (text) => help.stdout += text,
    stderr: (text) => help.stderr += text,
  });
  let commandName = "";
  program.hook("preSubcommand", (_, command) => {
    commandName = `${command.name()} `;
  });
  const print = createPrint(io, env, { json: false });
  try {
    checkArguments(args);
    await program.parseAsync(args, { from: "user" }).catch((error) => {
      if (!(error instanceof CommanderError)) throw error;
      if (error.exitCode === 0) return;
      // Nothing typed at all gets the help, but is no success.
      if (help.stderr === "") throw new UsageError(sentence(error.message));
      exitCode = EXIT_CODE.USAGE;
    });
    await print.bytes("stdout", new TextEncoder().encode(help.stdout));
    await print.bytes("stderr", new TextEncoder().encode(help.stderr));
    return exitCode;
  } catch (error) {
    // With the reader gone there is nobody to tell.
    if (!(error instanceof BrokenPipeError)) {
      await print.note(error instanceof Error ? error.message : String(error)).catch(() => {});
      const hint = error instanceof UsageError ? `See "teleport ${commandName}--help"\n` : "";
      await print.bytes("stderr", new TextEncoder().encode(hint)).catch(() => {});
    }
    return errorExitCode(error);
  }
}

/** Commander's message in this project's form: `error: unknown option '--x'` is `Unknown option "--x"`. */
function sentence(message: string): string {
  const text = message.replace(/^error: /, "").replaceAll("'", '"').replace(/\.$/, "");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
