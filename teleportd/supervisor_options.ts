/** Makes the options of the supervisor from the flags, the limits file and the environment. */
import { defined } from "../base/defined.ts";
import type { Logger } from "../base/logger.ts";
import {
  checkLimits,
  HostUnavailableError,
  InvalidArgumentError,
  type SupervisorOptions,
  SurvivorsError,
} from "../mod.ts";
import { DEFAULT_DISK_SHARE, DEFAULT_KEEP_JOBS, DEFAULT_KEEP_MS } from "./defaults.ts";
import type { DiskTrouble } from "./disk_trouble.ts";
import { inheritableVariables } from "./environment.ts";
import type { Flags } from "./flags.ts";
import { jobPath } from "./job_path.ts";
import { type FileLimits, parseLimits } from "./limits_file.ts";
import { defectFields, defectText } from "./log/error_fields.ts";
import type { ServerEnvironment } from "./server_environment.ts";
import { readSettings } from "./settings_file.ts";
import { StartError } from "./start_error.ts";

/** Returns the options of a supervisor without its directory. */
export function supervisorOptions(
  flags: Flags,
  limits: FileLimits,
  { env, environment }: Pick<ServerEnvironment, "env" | "environment">,
  log: Logger,
  trouble: DiskTrouble,
): SupervisorOptions {
  return {
    env: jobEnvironment(env),
    inheritableEnv: flags.inheritEnv === undefined ? {} : inheritableVariables(environment(), flags.inheritEnv),
    newPrivileges: flags.allowNewPrivileges ? "ON_REQUEST" : "DENIED",
    ...limits,
    onWarning: (sentence) => log.warn(sentence),
    onError(error) {
      if (trouble.report(error)) return;
      if (error instanceof SurvivorsError || error instanceof HostUnavailableError) return log.warn(error.message);
      log.error(`Internal error of the supervisor: ${defectText(error)}`, defectFields(error));
    },
    ...(flags.maxOutput === undefined
      ? {}
      : { outputLimit: { maxBytes: flags.maxOutput, policy: flags.outputPolicy } }),
    ...(flags.maxOutputTotal === undefined
      ? { maxDiskShare: DEFAULT_DISK_SHARE }
      : { maxOutputBytes: flags.maxOutputTotal }),
    maxAgeMs: flags.keep ?? DEFAULT_KEEP_MS,
    maxJobs: flags.keepJobs ?? DEFAULT_KEEP_JOBS,
    ...defined({ closeGraceMs: flags.shutdownGrace, cwd: flags.jobDir }),
  };
}

/** Returns the variables of every job: where programs are, and who the server's user is. */
function jobEnvironment(serverEnv: ServerEnvironment["env"]): Record<string, string> {
  const { PATH, HOME, LANG } = serverEnv;
  const env: Record<string, string> = {};
  for (const [name, value] of [["PATH", jobPath(PATH)], ["HOME", HOME], ["LANG", LANG]] as const) {
    if (value) env[name] = value;
  }
  return env;
}

/** Reads the limits file. Without a path there are no limits. */
export async function readLimits(path: string | undefined): Promise<FileLimits> {
  if (path === undefined) return {};
  const limits = parseLimits(await readSettings("limits file", path));
  try {
    checkLimits(limits);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new StartError(`Cannot use the limits file "${path}": ${error.message}`, { cause: error });
  }
  return limits;
}
