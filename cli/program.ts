/** The commands, their options and their help: what may be typed. */
import { type Command, Option } from "commander";
import type { ConfigFlags } from "./config.ts";
import type { Context, LocalContext } from "./context.ts";
import { addFilterOptions, type FilterFlags, filterOf, FINAL_STATES, isFiltering } from "./options/filter_options.ts";
import { addJobOptions, type JobFlags, jobRequest } from "./options/job_options.ts";
import { JOB_OPTIONS } from "../base/job_options/table.ts";
import { parseNumber } from "../units/number.ts";
import { countParser, type LogsFlags, logsOptions, parseRetryForMs } from "./options/logs_options.ts";
import { bound, type Moment, momentParser } from "../units/moment.ts";
import { SuggestingCommand } from "./options/suggesting_command.ts";
import { UsageError } from "../units/usage_error.ts";
import { VERSION } from "./version.ts";

/** The options every command takes, before or behind its name. */
export interface CommonFlags extends ConfigFlags {
  readonly output?: "text" | "json";
}

/** Runs a command's code with what it needs. */
export interface Runner {
  /** A command that calls the server. */
  call(flags: CommonFlags, act: (context: Context) => Promise<number>): Promise<void>;
  /** A command that does not. */
  local(flags: CommonFlags, act: (context: LocalContext) => Promise<number>): Promise<void>;
}

/** Where help goes. */
export interface HelpOutput {
  stdout(text: string): void;
  stderr(text: string): void;
}

const EXAMPLES = `
Examples:
  teleport run -- sh -c 'echo out; echo err >&2'    run a job here, as if it were local
  teleport run -d --timeout 1h make -j8             start a job and leave it; prints its id
  teleport logs -f ID                               its output, from the first byte, live
  teleport stop --grace 30s ID                      SIGTERM to all of it, SIGKILL 30 s later

Environment: TELEPORT_ADDRESS, TELEPORT_CERTS, TELEPORT_IDENTITY, for --address, --certs, --identity.
"teleport COMMAND --help" tells more about a command.`;

const RUN_NOTES = `
With --stdin the job gets the standard input of this command, to its end: tar c . | teleport run -i tar x.
With --detach too, "teleport input ID" sends it later.

The job's arguments reach it as they are: no shell reads them again. Put -- before a command that
begins with -.

Exit code: the job's own; 128+n when signal n ended it; 124 timed out; 126 not executable;
127 not found; 1 refused or failed; 2 usage; 255 server unreachable or certificate refused.

SIGINT (Ctrl-C), SIGTERM, SIGHUP and SIGQUIT reach the job, the first two of them; the third leaves
the job running. To leave a job running when the terminal closes, use --detach, not nohup(1).
When the reader of the output goes away, as with | head, the job gets SIGPIPE.`;

const INPUT_NOTES = `
Sends as fast as the job reads. One sender at a time. After an outage it goes on where it was.
  pg_dump shop | teleport input ID
  echo 'first' | teleport input --keep-open ID

Exit code: 1 when the job ended or closed its input before it had all.`;

const WATCH_NOTES = `
One job is watched to its end, several until all have ended. Without an id, all jobs that the filters mean are
watched, those that are still to come too, until this command is ended.`;

const WAIT_NOTES = `
Of several jobs, prints how each ended. Exit code: that of the job, as "teleport run" has it; with --any of the
first to end; with --all the first that is not 0, in the order of the ids.`;

const RM_NOTES = `
Filters mean jobs that have ended unless --state says otherwise. Prints the id of each job that is gone.
  teleport rm --until 7d                            what was registered more than a week ago and has ended
  teleport rm --label kind=build --state exited`;

const CAN_I_NOTES = `
Examples:
  teleport can-i list
  teleport can-i stop --job ID
  teleport can-i register -- make -j8

Exit code: 0 yes; 1 no; 2 there is no such call; others as of every command.`;

/** Makes the program. Parsing it runs the command that was typed, through the runner. */
export function createProgram(runner: Runner, help: HelpOutput): Command {
  const program = new SuggestingCommand("teleport")
    .exitOverride()
    .configureOutput({
      writeOut: help.stdout,
      writeErr: help.stderr,
      // An error is told once, by the one who catches it.
      outputError: () => {},
      getOutHelpWidth: () => 100,
      getErrHelpWidth: () => 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .enablePositionalOptions()
    .usage("[OPTIONS] COMMAND [ARG...]")
    .description("Run processes on a remote machine.")
    .version(VERSION, "-V, --version", "print the version")
    .addHelpText("after", EXAMPLES);
  addCommonOptions(program, { hidden: false });

  /** A command with the common options; hidden there, for the program's help shows them. */
  const command = (name: string, args: string, description: string): Command =>
    addCommonOptions(program.command(`${name} ${args}`.trimEnd()), { hidden: true })
      .usage(`[OPTIONS] ${args.replace(/[<>]/g, "").replace("[COMMAND]", "COMMAND")}`.trimEnd())
      .description(description);
  const common = (command: Command): CommonFlags => ({ ...program.opts(), ...command.opts() });

  addJobOptions(command("register", "[COMMAND] [ARG...]", "Add a job without starting it; prints its id"))
    .passThroughOptions()
    .action(async (name: string | undefined, args: string[], flags: JobFlags, self: Command) => {
      const { register } = await import("./commands/register.ts");
      await runner.call(common(self), (context) => register(context, jobRequest(name, args, flags)));
    });
  addRetryOption(command("start", "<ID>", "Start a job; prints its status changes to the end"))
    .action(async (id: string, flags: { retryFor?: number }, self: Command) => {
      const { start } = await import("./commands/start.ts");
      await runner.call(common(self), (context) => start(context, id, flags.retryFor));
    });
  addJobOptions(command("run", "[COMMAND] [ARG...]", "Run a job: register, start, print its output, exit as it did"))
    .passThroughOptions()
    .option("-d, --detach", "start the job, print its id and leave")
    .option(...RETRY_OPTION)
    .addHelpText("after", RUN_NOTES)
    .action(async (name: string | undefined, args: string[], flags: RunFlags, self: Command) => {
      const { run, runDetached } = await import("./commands/run.ts");
      const request = jobRequest(name, args, flags);
      await runner.call(
        common(self),
        (context) => (flags.detach ? runDetached : run)(context, request, flags.retryFor),
      );
    });
  addRetryOption(command("stop", "<ID...>", "Stop jobs: SIGTERM, then SIGKILL; prints how each ended"))
    .option(
      "--grace <DURATION>",
      "time between SIGTERM and SIGKILL (default: the job's own)",
      (text) => parseNumber(text, "--grace", JOB_OPTIONS.graceMs),
    )
    .action(async (ids: string[], flags: { grace?: number; retryFor?: number }, self: Command) => {
      const { stop } = await import("./commands/stop.ts");
      const options = { graceMs: flags.grace, retryForMs: flags.retryFor };
      await runner.call(common(self), (context) => stop(context, ids, options));
    });
  command("signal", "<ID> <SIGNAL>", "Send a signal to a job's process group: SIGHUP, HUP or 1")
    .action(async (id: string, name: string, _: unknown, self: Command) => {
      const { signal } = await import("./commands/signal.ts");
      await runner.call(common(self), (context) => signal(context, id, name));
    });
  command("pause", "<ID...>", "Let all processes of jobs stand still")
    .action(async (ids: string[], _: unknown, self: Command) => {
      const { pause } = await import("./commands/pause.ts");
      await runner.call(common(self), (context) => pause(context, ids));
    });
  command("resume", "<ID...>", "Let all processes of paused jobs go on")
    .action(async (ids: string[], _: unknown, self: Command) => {
      const { resume } = await import("./commands/resume.ts");
      await runner.call(common(self), (context) => resume(context, ids));
    });
  addRetryOption(command("input", "<ID>", "Send the standard input to a job that was registered with --stdin"))
    .option("--keep-open", "do not end the job's input, for more is to come")
    .addHelpText("after", INPUT_NOTES)
    .action(async (id: string, flags: { keepOpen?: true; retryFor?: number }, self: Command) => {
      const { input } = await import("./commands/input.ts");
      const options = { keepOpen: flags.keepOpen ?? false, retryForMs: flags.retryFor };
      await runner.call(common(self), (context) => input(context, id, options));
    });
  command("status", "<ID>", "Print all that is known of a job")
    .action(async (id: string, _: unknown, self: Command) => {
      const { status } = await import("./commands/status.ts");
      await runner.call(common(self), (context) => status(context, id));
    });
  addRetryOption(addFilterOptions(command("watch", "[ID...]", "Print the status of jobs and every change of it")))
    .addHelpText("after", WATCH_NOTES)
    .action(async (ids: string[], flags: FilterFlags & { retryFor?: number }, self: Command) => {
      const { watch, watchMany } = await import("./commands/watch.ts");
      const [id, ...others] = ids;
      const isOne = id !== undefined && others.length === 0 && !isFiltering(flags);
      await runner.call(
        common(self),
        (context) =>
          isOne ? watch(context, id, flags.retryFor) : watchMany(context, { ids, ...filterOf(flags) }, flags.retryFor),
      );
    });
  addLogsCommand(command("logs", "<ID>", "Print a job's output so far, each stream to its own descriptor"))
    .action(async (id: string, flags: LogsFlags, self: Command) => {
      const { logs } = await import("./commands/logs.ts");
      await runner.call(common(self), (context) => logs(context, id, logsOptions(flags)));
    });
  addListCommand(command("list", "", "List jobs, newest first"), runner, common);
  addRetryOption(command("wait", "<ID...>", "Wait for jobs to end and exit as they did"))
    .addOption(new Option("--any", "wait for the first of them").conflicts("all"))
    .addOption(new Option("--all", "wait for all of them (default)"))
    .addHelpText("after", WAIT_NOTES)
    .action(async (ids: string[], flags: { any?: true; retryFor?: number }, self: Command) => {
      const { wait } = await import("./commands/wait.ts");
      const options = { any: flags.any ?? false, retryForMs: flags.retryFor };
      await runner.call(common(self), (context) => wait(context, ids, options));
    });
  addFilterOptions(command("rm", "[ID...]", "Forget jobs that do not run, and their output"))
    .option("--ended", "all that have ended; with other filters, of those")
    .addHelpText("after", RM_NOTES)
    .action(async (ids: string[], flags: FilterFlags & { ended?: true }, self: Command) => {
      const { rm, rmMany } = await import("./commands/rm.ts");
      const isMany = flags.ended || isFiltering(flags);
      if (ids.length === 0 && !isMany) throw new UsageError("Nothing to remove: give ids, filters, or --ended for all");
      if (ids.length > 0 && isMany) {
        throw new UsageError("Ids and filters exclude each other: give the one or the other");
      }
      const filter = { ...filterOf(flags), states: [...flags.state ?? FINAL_STATES] };
      await runner.call(common(self), (context) => isMany ? rmMany(context, filter) : rm(context, ids));
    });
  command("whoami", "", "Print who you are to the server, from your certificate")
    .action(async (_: unknown, self: Command) => {
      const { whoami } = await import("./commands/whoami.ts");
      await runner.local(common(self), whoami);
    });
  command("info", "", "Print what the server is and can do: version, limits, isolation, cgroups, disk use")
    .action(async (_: unknown, self: Command) => {
      const { info } = await import("./commands/info.ts");
      await runner.call(common(self), info);
    });
  addJobOptions(
    command("can-i", "<CALL> [COMMAND] [ARG...]", "Say whether you may make a call, and which rule says so"),
  )
    .option("--job <ID>", "the job that the call is for")
    .addHelpText("after", CAN_I_NOTES)
    .action(async (call: string, name: string | undefined, args: string[], flags: CanIFlags, self: Command) => {
      const { canI } = await import("./commands/can_i.ts");
      const hasJob = name !== undefined || flags.template !== undefined;
      const job = hasJob ? { job: jobRequest(name, args, flags) } : {};
      await runner.call(common(self), (context) => canI(context, { call, id: flags.job ?? "", ...job }));
    });
  return program;
}

function addCommonOptions(command: Command, { hidden }: { hidden: boolean }): Command {
  const options = [
    new Option("--address <HOST:PORT>", "the server (default: 127.0.0.1:50051)"),
    new Option("--certs <DIR>", "directory of certificates (default: ~/.config/teleport)"),
    new Option("--identity <NAME>", "whose certificate there (default: admin)"),
    new Option("--output <FORMAT>", "text, or json: one object a line").argParser(parseFormat),
  ];
  for (const option of options) command.addOption(option.hideHelp(hidden));
  return command;
}

const RETRY_OPTION = [
  "--retry-for <DURATION>",
  "when the server goes away, try again for so long (default: 2m; 0s: not at all)",
  parseRetryForMs,
] as const;

interface CanIFlags extends JobFlags {
  readonly job?: string;
}

interface RunFlags extends JobFlags {
  readonly detach?: true;
  readonly retryFor?: number;
}

function addRetryOption(command: Command): Command {
  return command.option(...RETRY_OPTION);
}

function addLogsCommand(command: Command): Command {
  return addRetryOption(command)
    .option("-f, --follow", "go on to the job's end")
    .option("-n, --tail <COUNT>", "of what is there, only the last lines", countParser("--tail"))
    .option("--tail-bytes <COUNT>", "of what is there, only the last bytes", countParser("--tail-bytes"))
    .option(
      "--since <TIME>",
      "only what was written since, such as 2026-01-31T12:00:00Z or 10m",
      momentParser("--since"),
    )
    .option("--until <TIME>", "only what was written until then", momentParser("--until"))
    .option("-t, --timestamps", "put the time before each line")
    .option("--stdout", "only stdout")
    .option("--stderr", "only stderr")
    .option("--cursor <CURSOR>", "go on behind it; --output json prints one with each piece");
}

function addListCommand(command: Command, runner: Runner, common: (command: Command) => CommonFlags): void {
  interface ListFlags extends FilterFlags {
    readonly endedSince?: Moment;
    readonly endedUntil?: Moment;
    readonly sort?: string;
    readonly reverse?: true;
    readonly limit?: string;
    readonly quiet?: true;
  }
  addFilterOptions(command)
    .option("--ended-since <TIME>", "only jobs that ended since", momentParser("--ended-since"))
    .option("--ended-until <TIME>", "only jobs that ended until then", momentParser("--ended-until"))
    .option("--sort <TIME>", "by the time they were registered (default), started or ended")
    .option("-r, --reverse", "oldest first")
    .option("-n, --limit <COUNT>", "only the newest so many; with --reverse, the oldest")
    .option("-q, --quiet", "print ids alone")
    .action(async (flags: ListFlags, self: Command) => {
      const { list, parseLimit, parseOrder } = await import("./commands/list.ts");
      const options = {
        request: {
          ...filterOf(flags),
          ...bound("ended_since", flags.endedSince),
          ...bound("ended_until", flags.endedUntil),
          ...(flags.sort === undefined ? {} : { order: parseOrder(flags.sort) }),
          oldest_first: flags.reverse ?? false,
        },
        limit: flags.limit === undefined ? Infinity : parseLimit(flags.limit),
        quiet: flags.quiet ?? false,
      };
      await runner.call(common(self), (context) => list(context, options));
    });
}

function parseFormat(text: string): "text" | "json" {
  if (text !== "text" && text !== "json") {
    throw new UsageError(`Unknown format "${text}" for --output: give "text" or "json"`);
  }
  return text;
}
