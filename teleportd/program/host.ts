/** The program `teleportd host`: runs, lists and stops job hosts. Loads only what its command needs. */
import type { HostCommand } from "../host/commands.ts";
import { parseHostRun } from "../host/options.ts";
import { EXIT_OK, EXIT_USAGE } from "../exit_code.ts";
import { escapeText } from "../../text/unprintable.ts";
import type { ProcessAccess } from "./process_access.ts";

/** Runs the command that the arguments name. */
export async function program(args: readonly string[], access: ProcessAccess): Promise<number> {
  const options = args[1] === "run" ? parseHostRun(args.slice(2)) : undefined;
  const command = options === undefined ? await parse(args, access) : { name: "run" as const, options };
  if (typeof command === "number") return command;
  throw new Error(`Not there yet: ${command.name}`);
}

/** Parses the arguments with Commander. Returns an exit code after help, or after an error that Commander has written. */
async function parse(args: readonly string[], { version, print, usage }: ProcessAccess): Promise<HostCommand | number> {
  const { CommanderError } = await import("commander");
  const { parseFlags } = await import("../flags.ts");
  try {
    const stderr = (text: string) => usage.write(escapeText(text.trimEnd()));
    return parseFlags(args, version, { stdout: print, stderr }).hostCommand ?? EXIT_USAGE;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
    throw error;
  }
}
