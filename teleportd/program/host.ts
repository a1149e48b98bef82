/** The program `teleportd host`: runs, lists and stops job hosts. Loads only what its command needs. */
import { escapeLine, escapeText } from "../../text/unprintable.ts";
import { checkDirectoryThere, dataDirectory } from "../data_directory.ts";
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE } from "../exit_code.ts";
import type { HostCommand } from "../host/commands.ts";
import { parseHostRun } from "../host/options.ts";
import type { ProcessAccess } from "./process_access.ts";
import { directoryVariables } from "./variables.ts";

/** Runs the command that the arguments name. */
export async function program(args: readonly string[], access: ProcessAccess): Promise<number> {
  // Without a script, and after a request for help, Commander writes the text.
  const [, name, script] = args;
  if (name === "node" && script !== undefined && !script.startsWith("-")) {
    const { runNodeProgram } = await import("./host_node.ts");
    return await runNodeProgram(script, args[3] === "--recover", access);
  }
  const options = args[1] === "run" ? parseHostRun(args.slice(2)) : undefined;
  const command = options === undefined ? await parse(args, access) : { name: "run" as const, options };
  return typeof command === "number" ? command : await runHostCommand(command, access);
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

/**
 * Runs a command.
 *
 * @param data the data directory where the command names none
 */
export async function runHostCommand(command: HostCommand, access: ProcessAccess, data?: string): Promise<number> {
  const directory = command.options.data ?? data;
  if (command.name === "run") {
    const { runHostProgram } = await import("./host_run.ts");
    return await runHostProgram({ ...command.options, ...(directory !== undefined && { data: directory }) }, access);
  }
  const found = dataDirectory(directory, directoryVariables(access));
  if (command.name === "ls") {
    await checkDirectoryThere(found, "list job hosts");
    const { formatHosts, listHosts } = await import("../host/list_hosts.ts");
    access.print(escapeText(formatHosts(await listHosts(found), command.options.output)));
    return EXIT_OK;
  }
  const { stopHosts } = await import("../host/stop_hosts.ts");
  const isStopped = await stopHosts(found, command.options.grace, {
    progress: (text) => access.usage.write(escapeLine(text)),
    stopped: (instance) => access.print(`${escapeLine(instance)}\n`),
    failed: (text) => access.usage.write(escapeLine(`teleportd: ${text}`)),
  });
  return isStopped ? EXIT_OK : EXIT_FAILED;
}
