/** The options of `register` and `run` about as whom a job runs, and what it may use. */
import type { Command } from "commander";
import { parseIsolation, parseNice, parseUmask } from "./job_options.ts";
import { addUlimit, ULIMIT_NAMES } from "../../units/ulimit.ts";

/** Adds the options to a command. */
export function addControlOptions(command: Command): Command {
  return command
    .option("-u, --user <USER>", "run as this user of the server's system, by name or number")
    .option("--group <GROUP>", "run as this group (default: the user's own)")
    .option("--umask <MODE>", "permission bits that the job's files do not get, octal", parseUmask)
    .option("--nice <COUNT>", "let others go first: niceness, at most 19", parseNice)
    .option(
      "--ulimit <NAME=VALUE>",
      `a limit on each process of the job: ${
        ULIMIT_NAMES.join(", ")
      }; repeatable, such as nofile=1024, as=2G or cpu=60s`,
      (text: string, before: Parameters<typeof addUlimit>[1]) => addUlimit(text, before),
    )
    .option(
      "--isolate <LEVEL>",
      "private: own /tmp, IPC and host name; strict: also no network, all else read-only, few devices; not for root",
      parseIsolation,
    )
    .option("--allow-new-privileges", "let the job's programs gain privileges, as sudo does")
    .option("--inherit-env", "begin with those variables of the server's environment that it lends");
}
