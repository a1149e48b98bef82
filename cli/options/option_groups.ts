/** The groups of options in the help of the commands that describe a job. */
import type { Command } from "commander";

/** The options of each group, in the order of the help. Options in no group are listed first. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  "Command and environment:": ["--template", "--param", "--like", "--env", "--env-file", "--inherit-env", "--cwd"],
  "Name and labels:": ["--name", "--label"],
  "Input and terminal:": ["--stdin", "--tty", "--detach-keys", "--detach"],
  "Output:": ["--max-output", "--output-policy"],
  "Time:": ["--timeout", "--grace", "--retry-for"],
  "After the end:": ["--rm", "--on-end"],
  "Limits:": [
    "--memory",
    "--cpus",
    "--pids",
    "--read-rate",
    "--write-rate",
    "--io-path",
    "--ulimit",
    "--nice",
    "--oom-score-adj",
  ],
  "Node:": ["--engine", "--partition", "--node-constraint"],
  "User and isolation:": ["--user", "--group", "--umask", "--isolate", "--allow-new-privileges"],
};

/** The commands with the many options that describe a job. */
const JOB_COMMANDS = ["register", "run", "can-i"];

/** Puts the options of a command that describes a job into their groups. Other commands have few options. */
export function groupOptions(command: Command): void {
  if (!JOB_COMMANDS.includes(command.name())) return;
  for (const option of command.options) {
    const group = Object.keys(GROUPS).find((name) => GROUPS[name]!.includes(option.long ?? ""));
    if (group !== undefined) option.helpGroup(group);
  }
}
