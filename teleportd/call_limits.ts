/** The limits of calls as the flags say, and the words for the log. */
import type { CallLimitOptions } from "../rpc/server/limits/call_limits.ts";
import type { RefusalCause } from "../rpc/server/limits/user_accounts.ts";
import type { Flags } from "./flags.ts";
import { defined } from "../base/defined.ts";

/** The limits that the flags set; the others have the defaults of `rpc/server/`. */
export function callLimitsOf(
  flags: Pick<Flags, "maxCallsPerUser" | "maxStreamsPerUser" | "maxUnreadPerUser">,
): Partial<CallLimitOptions> {
  const { maxCallsPerUser, maxStreamsPerUser, maxUnreadPerUser } = flags;
  return {
    ...defined({ maxCalls: maxCallsPerUser, maxStreams: maxStreamsPerUser }),
    // One connection has half, so that a stalled client leaves the user's others as much.
    ...(maxUnreadPerUser === undefined ? {} : {
      maxUserBytes: maxUnreadPerUser,
      maxConnectionBytes: Math.ceil(maxUnreadPerUser / 2),
    }),
  };
}

const WHAT: Readonly<Record<RefusalCause, string>> = {
  calls: "refused a call beyond --max-calls-per-user",
  streams: "refused a stream beyond --max-streams-per-user",
  request_bytes: "refused a request: too many bytes of requests are open",
  answers_unread: "ended a call whose answer was not read",
};

/** The line for the log. The user's name is quoted, for it comes from a certificate. */
export function limitLine(cause: RefusalCause, user: string): string {
  return `limit: ${WHAT[cause]}, user ${JSON.stringify(user)}`;
}
