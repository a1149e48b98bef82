/** The whole command line as one function: arguments in, exit code out. */
import { errorMessage } from "../base/error_message.ts";
import { CommanderError } from "commander";
import { checkArguments } from "../text/decoded.ts";
import { connectAs } from "./certificate_files.ts";
import { configOf, type Environment, resolveSettings } from "./config.ts";
import type { Context, LocalContext } from "./context.ts";
import { selectContext } from "./contexts/select_context.ts";
import { errorExitCode, EXIT_CODE } from "./exit_code.ts";
import type { Io } from "./io.ts";
import { BrokenPipeError, createPrint } from "./print/print.ts";
import { loadEncoder } from "./print/encoder.ts";
import { type CommonFlags, commonFlags, type Runner } from "./command.ts";
import { createProgram } from "./program.ts";
import { UsageError } from "../units/usage_error.ts";

/**
 * Runs the command that the arguments name.
 *
 * @param args the arguments after the program's name
 * @param env the environment variables of `ENVIRONMENT_NAMES` that are set
 * @param io the machine
 * @returns the exit code, see `exit_code.ts`. Errors that a user can cause are printed, not thrown
 *
 * @example
 * ```ts ignore
 * Deno.exit(await main(["status", "ID"], { HOME: "/home/ada" }, io));
 * ```
 */
export async function main(args: readonly string[], env: Environment, io: Io): Promise<number> {
  let exitCode: number = EXIT_CODE.OK;
  const printFor = async (flags: CommonFlags) => {
    const format = flags.output ?? { kind: "text" };
    return createPrint(io, env, { format: format.kind, encode: await loadEncoder(format) });
  };
  const contextFor = async (flags: CommonFlags): Promise<LocalContext> => {
    const server = await selectContext(flags.context, env);
    const settings = resolveSettings(flags, env, server);
    return { io, print: await printFor(flags), config: configOf(settings), settings, server };
  };
  const runner: Runner = {
    async setup(command, act) {
      const flags = commonFlags(command);
      exitCode = await act({ io, print: await printFor(flags), env, flags });
    },
    async local(command, act) {
      exitCode = await act(await contextFor(commonFlags(command)));
    },
    async call(command, act) {
      const local = await contextFor(commonFlags(command));
      await using connection = await connectAs(io, local.config);
      const context: Context = { ...local, calls: connection.calls };
      exitCode = await act(context);
    },
  };
  // Commander does not wait for its writes. The help is kept here and written below.
  const help = { stdout: "", stderr: "" };
  let commandName = "";
  const print = createPrint(io, env);
  try {
    checkArguments(args);
    const output = { stdout: (text: string) => help.stdout += text, stderr: (text: string) => help.stderr += text };
    const program = await createProgram(runner, output, args);
    program.hook("preSubcommand", (_, command) => {
      commandName = `${command.name()} `;
    });
    await program.parseAsync(args, { from: "user" }).catch((error) => {
      if (!(error instanceof CommanderError)) throw error;
      if (error.exitCode === 0) return;
      // Without arguments, Commander writes the help to stderr.
      if (help.stderr === "") throw new UsageError(sentence(error.message));
      exitCode = EXIT_CODE.USAGE;
    });
    await print.bytes("stdout", new TextEncoder().encode(help.stdout));
    await print.bytes("stderr", new TextEncoder().encode(help.stderr));
    return exitCode;
  } catch (error) {
    // The reader of the output is gone: no message would arrive.
    if (!(error instanceof BrokenPipeError)) {
      await print.note(errorMessage(error)).catch(() => {});
      const hint = error instanceof UsageError ? `See "teleport ${commandName}--help"\n` : "";
      await print.bytes("stderr", new TextEncoder().encode(hint)).catch(() => {});
    }
    return errorExitCode(error);
  }
}

/** Rewrites a message of Commander: `error: option '--x <A>' argument missing` becomes `Option "--x <A>" needs a value`. */
function sentence(message: string): string {
  const text = message.replace(/^error: /, "").replaceAll("'", '"').replace(/\.$/, "")
    .replace(/ argument missing$/, " needs a value");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
