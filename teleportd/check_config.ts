/** `teleportd --check-config`: says whether certificates and policy could be served with. */
import { ExpiryReminder } from "../certs/expiry.ts";
import type { ServerIdentity } from "./config_reload.ts";
import type { Flags } from "./flags.ts";
import { namedEnds } from "./identity.ts";

/** Tells what was read. What cannot be used was refused before. */
export function tellChecked(
  certs: string,
  { policy: policyPath, limits: limitsPath }: Pick<Flags, "policy" | "limits">,
  { credentials, revoked, policy }: ServerIdentity,
  tell: (line: string) => void,
): void {
  using reminder = new ExpiryReminder(tell);
  reminder.watch(namedEnds(credentials));
  tell(`certificates in "${certs}" can be used, ${revoked.size} are revoked`);
  if (limitsPath !== undefined) tell(`limits "${limitsPath}" can be used`);
  if (policyPath === undefined) return tell("no policy file: the roles are admin, operator and viewer");
  const { roles, templates } = policy.policy;
  tell(`policy "${policyPath}" can be used: ${roles.size} roles, ${templates.size} templates`);
}
