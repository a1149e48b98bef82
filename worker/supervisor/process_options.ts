/** The process options that a job gets from its supervisor: privileges, and the environment it starts with. */
import type { JobOptions } from "../job/spec.ts";
import type { Limits } from "./job_limits.ts";

/**
 * Returns the options of a job's process that depend on the supervisor.
 *
 * @param env the environment of every job; it overrides the variables that the job inherits
 */
export function processOptions(
  options: JobOptions,
  { newPrivileges, inheritableEnv }: Limits,
  env: Readonly<Record<string, string>> = {},
): { readonly noNewPrivileges: boolean; readonly baseEnv: Readonly<Record<string, string>> } {
  const noNewPrivileges = options.noNewPrivileges || (newPrivileges !== undefined && !options.allowNewPrivileges);
  return { noNewPrivileges, baseEnv: { ...(options.inheritEnv ? inheritableEnv : {}), ...env } };
}
