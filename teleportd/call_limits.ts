/** The limits of calls that the flags set, and the log messages for refused calls. */
import { defined } from "../base/defined.ts";
import type { CallLimitOptions } from "../rpc/server/limits/call_limits.ts";
import type { RefusalCause } from "../rpc/server/limits/user_accounts.ts";
import type { Flags } from "./flags.ts";

/** Returns the limits that the flags set. The others keep the defaults of `rpc/server/`. */
export function callLimitsOf(
  flags: Pick<Flags, "maxCallsPerUser" | "maxStreamsPerUser" | "maxUnreadPerUser">,
): Partial<CallLimitOptions> {
  const { maxCallsPerUser, maxStreamsPerUser, maxUnreadPerUser } = flags;
  return {
    ...defined({ maxCalls: maxCallsPerUser, maxStreams: maxStreamsPerUser }),
    // One connection gets half, so that a client that reads nothing leaves the other half to the user's other clients.
    ...(maxUnreadPerUser === undefined ? {} : {
      maxUserBytes: maxUnreadPerUser,
      maxConnectionBytes: Math.ceil(maxUnreadPerUser / 2),
    }),
  };
}

const REFUSALS: Readonly<Record<RefusalCause, string>> = {
  calls: "Refused a call beyond --max-calls-per-user",
  streams: "Refused a stream beyond --max-streams-per-user",
  request_bytes: "Refused a request: the user's open requests have too many bytes",
  answers_unread: "Ended a call whose answers were not read",
};

/** Returns the log message for a refused call. The user's name comes from a certificate, so it is quoted. */
export function callRefusalText(cause: RefusalCause, user: string): string {
  return `${REFUSALS[cause]}, user ${JSON.stringify(user)}`;
}
