/** The limits of this server by name, for `teleport info`. */
import type { ConnectionLimits } from "../rpc/server/connections/connection_limits.ts";
import { DEFAULT_ANSWER_LIMITS } from "../rpc/server/limits/unread_answers.ts";
import { DEFAULT_USER_LIMITS } from "../rpc/server/limits/user_accounts.ts";
import { DEFAULT_KEEP_JOBS, DEFAULT_KEEP_MS } from "./defaults.ts";
import type { Flags } from "./flags.ts";
import type { FileLimits } from "./limits_file.ts";

/** Returns the limits that are set. A name ends with the unit of its value, except for numbers of things. */
export function limitsInForce(
  flags: Flags,
  { maxRunning, maxRunningPerOwner }: FileLimits,
  { maxHandshakes, maxGuests, maxMembers, maxPerUser }: ConnectionLimits,
): Record<string, number> {
  const limits: Record<string, number | undefined> = {
    max_running_jobs: maxRunning,
    max_running_jobs_per_user: maxRunningPerOwner,
    max_kept_jobs: flags.keepJobs ?? DEFAULT_KEEP_JOBS,
    keep_ms: flags.keep ?? DEFAULT_KEEP_MS,
    max_output_bytes: flags.maxOutput,
    max_calls_per_user: flags.maxCallsPerUser ?? DEFAULT_USER_LIMITS.maxCalls,
    max_streams_per_user: flags.maxStreamsPerUser ?? DEFAULT_USER_LIMITS.maxStreams,
    max_unread_bytes_per_user: flags.maxUnreadPerUser ?? DEFAULT_ANSWER_LIMITS.maxUserBytes,
    max_handshakes: maxHandshakes,
    max_connections_of_users: maxMembers,
    max_connections_per_user: maxPerUser,
    max_connections_without_role: maxGuests,
    max_connections_per_address: flags.maxConnectionsPerAddress,
  };
  return Object.fromEntries(
    Object.entries(limits).flatMap(([name, value]) => value === undefined ? [] : [[name, value]]),
  );
}
