/** What the flags, the file of limits and the environment make of the supervisor: which jobs, how many, for how long. */
import { checkLimits, type SupervisorOptions, SurvivorsError } from "../mod.ts";
import { lentVariables } from "./environment.ts";
import type { Flags } from "./flags.ts";
import { type FileLimits, parseLimits } from "./limits_file.ts";
import { jobPath } from "./job_path.ts";
import { readSettings } from "./settings_file.ts";
import { describe, type ServerEnvironment } from "./server_environment.ts";
import { defined } from "../base/defined.ts";

/** Ended jobs are kept for 30 days unless told otherwise: long enough to look into what went wrong last month. */
export const DEFAULT_KEEP_MS = 2_592_000_000;

/** So much of the disk may be jobs and output: the host must live on, whatever they write. */
const DEFAULT_DISK_SHARE = 0.5;

/** The options of a supervisor, but for where its jobs are. */
export function supervisorOptions(
  flags: Flags,
  limits: FileLimits,
  { env, environment, tell }: Pick<ServerEnvironment, "env" | "environment" | "tell">,
): SupervisorOptions {
  return {
    env: jobEnvironment(env),
    inheritableEnv: flags.inheritEnv === undefined ? {} : lentVariables(environment(), flags.inheritEnv),
    newPrivileges: flags.allowNewPrivileges ? "ON_REQUEST" : "DENIED",
    ...limits,
    onWarning: (sentence) => tell(`warning: ${sentence}`),
    onError: (error) =>
      tell(error instanceof SurvivorsError ? `warning: ${error.message}` : `internal error: ${describe(error)}`),
    ...(flags.maxOutput === undefined
      ? {}
      : { outputLimit: { maxBytes: flags.maxOutput, policy: flags.outputPolicy } }),
    ...(flags.maxOutputTotal === undefined
      ? { maxDiskShare: DEFAULT_DISK_SHARE }
      : { maxOutputBytes: flags.maxOutputTotal }),
    maxAgeMs: flags.keep ?? DEFAULT_KEEP_MS,
    ...defined({ maxJobs: flags.keepJobs, closeGraceMs: flags.shutdownGrace }),
  };
}

/** What jobs inherit: where programs are and who the server's user is, nothing else of its environment. */
function jobEnvironment(world: ServerEnvironment["env"]): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of [["PATH", jobPath(world.PATH)], ["HOME", world.HOME], ["LANG", world.LANG]] as const) {
    if (value) env[name] = value;
  }
  return env;
}

/** Reads a file of limits; without one there are none. */
export async function readLimits(path: string | undefined): Promise<FileLimits> {
  if (path === undefined) return {};
  const limits = parseLimits(await readSettings("File of limits", path));
  checkLimits(limits);
  return limits;
}
