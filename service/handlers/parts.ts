/** The parts of a service that its handlers share. */
import type { Supervisor } from "../../mod.ts";
import type { CallContext } from "../../proto/service.ts";
import type { CallAudit } from "../audit/call_audit.ts";
import { identify, type Identity } from "../policy/identity.ts";
import { decideMethod, type Policy } from "../policy/policy.ts";
import type { Permissions } from "./permissions.ts";
import type { ServerInfo } from "./server_info.ts";

/** The parts. Each handler gets all of them. */
export interface HandlerParts {
  readonly supervisor: Supervisor;
  readonly permissions: Permissions;
  readonly callAudit: CallAudit;
  /** Returns the policy that is in force. */
  readonly policy: () => Policy;
  /** Returns the facts about the server for the call Info. */
  readonly info: () => ServerInfo;
}

/** Identifies the caller of a call about the caller itself, and records the decision. Everybody with a role may make it. */
export function identifySelf({ policy, callAudit }: HandlerParts, context: CallContext): Identity {
  const identity = identify(context.certificate);
  callAudit.add(context, decideMethod(policy(), identity, context.method));
  return identity;
}
