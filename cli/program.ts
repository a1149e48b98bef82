/**
 * The list of the commands. Each command declares its own options in `commands/`.
 *
 * Long: this file is the one list of all commands.
 */
import type { Command } from "commander";
import { addCommonOptions, type Declare, type Runner } from "./command.ts";
import { groupOptions } from "./options/option_groups.ts";
import { SuggestingCommand } from "./options/suggesting_command.ts";
import { VERSION } from "./version.ts";

/** A command in the list. Its module is loaded only when the command is used, because start-up time counts. */
interface CommandEntry {
  readonly name: string;
  /** The arguments as Commander declares them. */
  readonly args: string;
  readonly summary: string;
  /** Other names of the command. */
  readonly aliases?: readonly string[];
  /** True for a command that only programs call. */
  readonly isHidden?: true;
  /** True for a command that needs the options of the others. */
  readonly needsAll?: true;
  readonly load: () => Promise<{ readonly declare: Declare }>;
}

/** The commands in the order of the help. */
const COMMANDS: readonly CommandEntry[] = [
  {
    name: "register",
    args: "[COMMAND] [ARG...]",
    summary: "Add a job without starting it; prints its id",
    load: () => import("./commands/register.ts"),
  },
  {
    name: "start",
    args: "<ID>",
    summary: "Start a job; prints its status changes to the end",
    load: () => import("./commands/start.ts"),
  },
  {
    name: "run",
    args: "[COMMAND] [ARG...]",
    summary: "Run a job: register, start, print its output, exit as it did",
    load: () => import("./commands/run.ts"),
  },
  {
    name: "rerun",
    args: "<ID>",
    summary: "Run a job again with the same command and options",
    load: () => import("./commands/rerun.ts"),
  },
  {
    name: "stop",
    args: "[ID...]",
    summary: "Stop jobs: SIGTERM, then SIGKILL; prints how each ended",
    load: () => import("./commands/stop.ts"),
  },
  {
    name: "signal",
    args: "<ID> <SIGNAL>",
    summary: "Send a signal to a job's process group: SIGHUP, HUP or 1",
    load: () => import("./commands/signal.ts"),
  },
  {
    name: "kill",
    args: "[ID...]",
    summary: "Send SIGKILL, or another signal, to jobs",
    load: () => import("./commands/kill.ts"),
  },
  {
    name: "pause",
    args: "<ID...>",
    summary: "Pause all processes of jobs",
    load: () => import("./commands/pause.ts"),
  },
  {
    name: "resume",
    args: "<ID...>",
    summary: "Resume all processes of paused jobs",
    load: () => import("./commands/resume.ts"),
  },
  {
    name: "attach",
    args: "<ID>",
    summary: "Connect this terminal to a running job: its output, and your keys",
    load: () => import("./commands/attach.ts"),
  },
  {
    name: "input",
    args: "<ID>",
    summary: "Send the standard input to a job that was registered with --stdin",
    load: () => import("./commands/input.ts"),
  },
  {
    name: "status",
    args: "[ID...]",
    summary: "Print the status of jobs in full",
    load: () => import("./commands/status.ts"),
  },
  {
    name: "inspect",
    args: "[ID...]",
    summary: "Print the status of jobs as JSON",
    load: () => import("./commands/inspect.ts"),
  },
  {
    name: "watch",
    args: "[ID...]",
    summary: "Print the status of jobs and every change of it",
    load: () => import("./commands/watch.ts"),
  },
  {
    name: "logs",
    args: "[ID...]",
    summary: "Print the output of jobs so far, each stream to its own descriptor",
    load: () => import("./commands/logs.ts"),
  },
  {
    name: "cp",
    args: "<SOURCE> <DESTINATION>",
    summary: "Copy a file or a directory to the server or from it; :PATH is on the server",
    load: () => import("./commands/cp.ts"),
  },
  {
    name: "list",
    args: "",
    summary: "List jobs, newest first",
    aliases: ["ls"],
    load: () => import("./commands/list.ts"),
  },
  {
    name: "ps",
    args: "",
    summary: "List the jobs that run",
    load: () => import("./commands/ps.ts"),
  },
  {
    name: "top",
    args: "",
    summary: "Show running jobs live, with what they use",
    load: () => import("./commands/top.ts"),
  },
  {
    name: "wait",
    args: "[ID...]",
    summary: "Wait for jobs to end and exit as they did",
    load: () => import("./commands/wait.ts"),
  },
  {
    name: "rm",
    args: "[ID...]",
    summary: "Remove jobs that do not run, and their output",
    load: () => import("./commands/rm.ts"),
  },
  {
    name: "login",
    args: "<FILE>",
    summary: "Set this machine up for a server, from one bundle",
    load: () => import("./commands/login.ts"),
  },
  {
    name: "context",
    args: "",
    summary: "List, select, add and remove servers",
    load: () => import("./commands/context.ts"),
  },
  {
    name: "whoami",
    args: "",
    summary: "Print your user and roles, from your certificate",
    load: () => import("./commands/whoami.ts"),
  },
  {
    name: "info",
    args: "",
    summary: "Print the server's version, limits, isolation, cgroups and disk use",
    load: () => import("./commands/info.ts"),
  },
  {
    name: "version",
    args: "",
    summary: "Print the version of this program, and that of the server",
    load: () => import("./commands/version.ts"),
  },
  {
    name: "can-i",
    args: "<CALL> [COMMAND] [ARG...]",
    summary: "Print whether you may make a call, and which rule decides it",
    load: () => import("./commands/can_i.ts"),
  },
  {
    name: "completion",
    args: "<SHELL>",
    summary: "Print the script for completion by Tab: bash, zsh or fish",
    load: () => import("./commands/completion.ts"),
  },
  {
    name: "__complete",
    args: "[WORD...]",
    summary: "Print the candidates for the last word",
    isHidden: true,
    needsAll: true,
    load: () => import("./commands/complete.ts"),
  },
];

const EXAMPLES = `
Examples:
  teleport run -- sh -c 'echo out; echo err >&2'    run a job here, as if it were local
  teleport run -d --timeout 1h make -j8             start a job and leave it running; prints its id
  teleport logs -f ID                               print its output, from the first byte, live
  teleport stop --grace 30s ID                      SIGTERM to all its processes, SIGKILL 30 s later

Environment: TELEPORT_CONTEXT, TELEPORT_ADDRESS, TELEPORT_CERTS, TELEPORT_IDENTITY, for the options of
these names. Each value comes from its option, else the environment, else the context, else the default.
"teleport COMMAND --help" prints the options of a command.`;

/** The destination of help texts. */
export interface HelpOutput {
  stdout(text: string): void;
  stderr(text: string): void;
}

/**
 * Makes the program. Parsing arguments with it runs their command through the runner.
 *
 * @param args the arguments. When the first one is a command, the program has no other. Otherwise only the commands that
 * they name get their options. Absent: all commands do
 */
export async function createProgram(runner: Runner, help: HelpOutput, args?: readonly string[]): Promise<Command> {
  const program = new SuggestingCommand("teleport")
    .exitOverride()
    .configureOutput({
      writeOut: help.stdout,
      writeErr: help.stderr,
      // The caller that catches the error prints it.
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
  const first = COMMANDS.find(({ name, aliases = [] }) => [name, ...aliases].includes(args?.[0] ?? ""));
  // Start-up time counts, and each command takes a part of it.
  const commands = first === undefined || first.needsAll ? COMMANDS : [first];
  for (const { name, args: operands, summary, aliases = [], isHidden = false, load } of commands) {
    const command = program.command(`${name} ${operands}`.trimEnd(), { hidden: isHidden })
      .usage(`[OPTIONS] ${operands.replace(/[<>]/g, "").replace("[COMMAND]", "COMMAND")}`.trimEnd())
      .description(summary)
      .aliases(aliases);
    // Hidden, because the help of the program shows them.
    addCommonOptions(command, { hidden: true });
    if (args === undefined || [name, ...aliases].some((name) => args.includes(name))) {
      (await load()).declare(command, runner);
      groupOptions(command);
    }
  }
  return program;
}
