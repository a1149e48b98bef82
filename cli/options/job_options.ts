/** The options that describe a job, as `register`, `run` and `can-i` take them. */
import type { Command } from "commander";
import { defined } from "../../base/defined.ts";
import type { Sent } from "../../proto/service.ts";
import type { JobRequest, OutputPolicy } from "../../proto/teleport/v1/job_worker.ts";
import { parseSizeBytes } from "../../units/size.ts";
import { UsageError } from "../../units/usage_error.ts";
import { addTableOptions, type Flags, tableFields } from "./table_options.ts";

/** The parsed options. Those of the table of job options go by their names in camel case. */
export interface JobFlags extends Flags {
  readonly env?: Record<string, string>;
  readonly envFile?: readonly string[];
  readonly cwd?: string;
  readonly label?: Record<string, string>;
  readonly like?: string;
  /** In bytes. */
  readonly maxOutput?: number;
  readonly outputPolicy?: OutputPolicy;
  readonly template?: string;
  readonly param?: Record<string, string>;
  readonly tty?: true;
}

/** Adds the options to a command. */
export function addJobOptions(command: Command): Command {
  command
    .option("--template <NAME>", "run this command of the server's policy, in place of COMMAND")
    .option("--param <NAME=VALUE>", "a parameter of the template; repeatable", pairParser("--param"))
    .option("-e, --env <NAME=VALUE>", "a variable of the job's environment; repeatable", pairParser("--env"))
    .option(
      "--env-file <FILE>",
      "variables from a file of lines NAME=VALUE, or NAME for its value here; repeatable",
      (path: string, before: readonly string[] = []) => [...before, path],
    )
    .option(
      "--cwd <DIR>",
      "the job's working directory on the server; absolute (default: /, or --job-dir of the server)",
    )
    .option("-l, --label <KEY=VALUE>", "a label to find the job by; repeatable", pairParser("--label", "KEY=VALUE"));
  return addTableOptions(command)
    .option("-t, --tty", "run the job on a terminal, for shells and full-screen programs; with -i it gets your keys")
    .option("--max-output <SIZE>", "how much output is recorded, such as 500k, 100MB or 1GiB", parseMaxOutput)
    .option("--output-policy <POLICY>", "what happens at that limit: stop, keep-newest or block", parseOutputPolicy);
}

/** Adds the option that refers to another job. */
export function addLikeOption(command: Command): Command {
  return command.option("--like <ID>", "use the directory and environment of this job where you give none");
}

/**
 * Returns the request for a job.
 *
 * @param command the program; taken as it is, as are its arguments. Undefined with a template, which has one
 * @throws {UsageError} when neither or both of command and template are given, or an option needs another
 */
export function jobRequest(command: string | undefined, args: readonly string[], flags: JobFlags): Sent<JobRequest> {
  const { template, param, maxOutput, outputPolicy } = flags;
  if (command === undefined && template === undefined) throw new UsageError('Missing required argument "COMMAND"');
  if (command !== undefined && template !== undefined) {
    throw new UsageError(`Unexpected command "${command}" with --template: give --param NAME=VALUE`);
  }
  if (param !== undefined && template === undefined) {
    throw new UsageError("--param needs a template: give --template too");
  }
  if (outputPolicy !== undefined && maxOutput === undefined) {
    throw new UsageError("--output-policy needs a limit: give --max-output too");
  }
  return {
    command: command ?? "",
    args: [...args],
    ...(template === undefined ? {} : { template, parameters: param ?? {} }),
    env: flags.env ?? {},
    cwd: flags.cwd ?? "",
    labels: flags.label ?? {},
    ...(flags.like === undefined ? {} : { like: flags.like }),
    ...defined({ max_output_bytes: maxOutput, output_policy: outputPolicy }),
    ...tableFields(flags),
  };
}

/**
 * Adds one pair, such as NAME=VALUE, to those before it. The value may be empty and may contain further `=`.
 *
 * @param options.name the option for the error text, such as `--env`
 * @param options.form the form of a pair in the option's help. Default: NAME=VALUE
 * @throws {UsageError} when the name or `=` is missing
 */
export function addPair(
  text: string,
  before: Record<string, string> | undefined,
  options: { name: string; form?: string },
): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new UsageError(`Invalid value "${text}" for ${options.name}: give ${options.form ?? "NAME=VALUE"}`);
  // No prototype, so that a variable can have the name `__proto__`.
  return Object.assign(Object.create(null), before, { [text.slice(0, at)]: text.slice(at + 1) });
}

function pairParser(name: string, form = "NAME=VALUE") {
  return (text: string, before: Record<string, string> | undefined) => addPair(text, before, { name, form });
}

function parseMaxOutput(text: string): number {
  return parseSizeBytes(text, "--max-output");
}

const OUTPUT_POLICIES: Readonly<Record<string, OutputPolicy>> = {
  stop: "OUTPUT_POLICY_STOP",
  "keep-newest": "OUTPUT_POLICY_KEEP_NEWEST",
  block: "OUTPUT_POLICY_BLOCK",
};

function parseOutputPolicy(text: string): OutputPolicy {
  const policy = Object.hasOwn(OUTPUT_POLICIES, text) ? OUTPUT_POLICIES[text] : undefined;
  if (policy !== undefined) return policy;
  throw new UsageError(`Unknown policy "${text}" for --output-policy: give "stop", "keep-newest" or "block"`);
}

/** Returns the options of a job with the variables of its files. A variable that is given itself wins. */
export async function withEnvFiles<Flags extends JobFlags>(flags: Flags): Promise<Flags> {
  if (flags.envFile === undefined) return flags;
  const { readEnvFiles } = await import("./env_file.ts");
  return { ...flags, env: Object.assign(await readEnvFiles(flags.envFile), flags.env) };
}
