/** The call WhoAmI: answers who the caller is, and which rules apply. */
import type { CallContext, JobWorkerHandlers, Sent } from "../../proto/service.ts";
import type { WhoAmIResponse } from "../../proto/teleport/v1/job_worker.ts";
import { timestamp } from "../convert/timestamps.ts";
import type { Identity } from "../policy/identity.ts";
import type { Policy } from "../policy/policy.ts";
import { ruleText } from "../policy/rule_text.ts";
import { type HandlerParts, identifySelf } from "./parts.ts";

export function whoAmIHandler(parts: HandlerParts): JobWorkerHandlers["WhoAmI"] {
  // deno-lint-ignore require-await -- asynchronous by contract, like every call
  return async (_request, context) => whoAmI(parts.policy(), identifySelf(parts, context), context);
}

function whoAmI(policy: Policy, { user, roles }: Identity, { certificate }: CallContext): Sent<WhoAmIResponse> {
  const known = roles.filter((role) => policy.roles.has(role));
  return {
    user,
    roles: [...roles],
    known_roles: known,
    fingerprint: certificate?.fingerprint,
    serial_number: certificate?.serialNumber,
    not_after: certificate && timestamp(certificate.notAfter),
    rules: known.flatMap((role) => policy.roles.get(role) ?? []).map(ruleText),
  };
}
