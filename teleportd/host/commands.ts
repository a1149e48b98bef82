/** The commands `teleportd host …` for Commander: their options and their help. */
import { type Command, Option } from "commander";
import { JOB_OPTIONS } from "../../base/job_options/table.ts";
import { durationParser, withCommanderError } from "../flag_values.ts";
import { HOST_OPTIONS, type HostOption, type HostRunOptions } from "./options.ts";

/** The options of `host ls`. */
export interface HostListOptions {
  readonly data?: string;
  readonly output: "table" | "json";
}

/** The options of `host stop`. */
export interface HostStopOptions {
  readonly data?: string;
  /** Milliseconds. */
  readonly grace?: number;
}

/** A parsed command. */
export type HostCommand =
  | { readonly name: "run"; readonly options: HostRunOptions }
  | { readonly name: "ls"; readonly options: HostListOptions }
  | { readonly name: "stop"; readonly options: HostStopOptions };

const DATA = HOST_OPTIONS.find(({ flags }) => flags.startsWith("--data "))!;

/**
 * Adds the commands.
 *
 * @param onCommand receives the command that was parsed
 */
export function addHostCommands(program: Command, onCommand: (command: HostCommand) => void): void {
  const host = program.command("host").helpCommand(false)
    .description("run, list and stop job hosts: the processes that run the jobs and outlive the server");
  const run = host.command("run")
    .description("run a job host for one data directory; a server starts one by itself")
    .allowExcessArguments(false)
    .action((options) => onCommand({ name: "run", options }));
  for (const option of HOST_OPTIONS) run.addOption(optionOf(option));
  // A node host parses its own arguments, so this is only for help and for errors.
  host.command("node")
    .description("run the job host of one job on a node; the batch script of a server with an engine does this")
    .argument("<script>", "the batch script, which has the configuration of the host")
    .option("--recover", "end what a killed job host of the same job has left, and report it")
    .allowExcessArguments(false)
    .action(() => {});
  host.command("ls")
    .description("list the job hosts of a data directory")
    .addOption(optionOf(DATA))
    .addOption(new Option("--output <format>", "form of the list").choices(["table", "json"]).default("table"))
    .allowExcessArguments(false)
    .action((options) => onCommand({ name: "ls", options }));
  host.command("stop")
    .description("stop all jobs of a data directory, and their job hosts; works with and without a server")
    .addOption(optionOf(DATA))
    .addOption(
      new Option("--grace <duration>", "time between SIGTERM and SIGKILL (default: the grace period of each job)")
        .argParser(durationParser("--grace", JOB_OPTIONS.graceMs.max)),
    )
    .allowExcessArguments(false)
    .action((options) => onCommand({ name: "stop", options }));
}

function optionOf({ flags, description, choices, fallback, parse }: HostOption): Option {
  const option = new Option(flags, description);
  if (choices !== undefined) option.choices(choices);
  if (fallback !== undefined) option.default(fallback);
  if (parse !== undefined) option.argParser(withCommanderError(parse));
  return option;
}
