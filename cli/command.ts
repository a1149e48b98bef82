/** The parts that commands are declared with. */
import { type Command, Option } from "commander";
import { type ConfigFlags, DEFAULT_ADDRESS, DEFAULT_IDENTITY, type Environment } from "./config.ts";
import type { Context, LocalContext } from "./context.ts";
import type { Io } from "./io.ts";
import type { Print } from "./print/print.ts";
import { type Format, parseFormat } from "./print/format.ts";

/** The options of every command. They may appear before or after the command's name. */
export interface CommonFlags extends ConfigFlags {
  readonly output?: Format;
  /** The name of the context to use. */
  readonly context?: string;
}

/** The context of a command that sets up the client. */
export interface SetupContext {
  readonly io: Io;
  readonly print: Print;
  readonly env: Environment;
  readonly flags: CommonFlags;
}

/** Runs the code of a command with its context, and keeps its exit code. */
export interface Runner {
  /** Runs a command that calls the server. */
  call(command: Command, act: (context: Context) => Promise<number>): Promise<void>;
  /** Runs a command that opens no connection, or opens it itself. */
  local(command: Command, act: (context: LocalContext) => Promise<number>): Promise<void>;
  /** Runs a command that changes or shows how the client is set up, and works also when that is not valid. */
  setup(command: Command, act: (context: SetupContext) => Promise<number>): Promise<void>;
}

/** Declares the options, the help text and the action of a command. */
export type Declare = (command: Command, runner: Runner) => void;

/** Returns the common options of a command. Those after its name win over those before it. */
export function commonFlags(command: Command): CommonFlags {
  return { ...(command.parent === null ? {} : commonFlags(command.parent)), ...command.opts() };
}

/** Adds the common options to a command. */
export function addCommonOptions(command: Command, { hidden }: { readonly hidden: boolean }): Command {
  const options = [
    new Option("--context <NAME>", 'the server to use, see "teleport context --help"'),
    new Option("--address <HOST:PORT>", `the server (default: ${DEFAULT_ADDRESS})`),
    new Option("--certs <DIR>", "the directory of certificates (default: ~/.config/teleport)"),
    new Option(
      "--identity <NAME>",
      `the name of the client certificate in that directory (default: ${DEFAULT_IDENTITY})`,
    ),
    new Option(
      "-o, --output <FORMAT>",
      "text, wide, json (one object per line), yaml, name, or template=TEXT such as template='{{id}} {{state}}'",
    ).argParser(parseFormat),
  ];
  for (const option of options) command.addOption(option.hideHelp(hidden));
  return command;
}
