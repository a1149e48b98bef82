/** The result of `teleportd --check-config`. */
import type { Logger } from "../base/logger.ts";
import { ExpiryReminder } from "../certs/expiry_reminder.ts";
import type { Flags } from "./flags.ts";
import type { ReloadableConfig } from "./reloadable_config.ts";
import { namedEnds } from "./server_credentials.ts";

/** Logs that the configuration can be used. A configuration that cannot be used was refused before. */
export function logCheckedConfig(
  certs: string,
  { policy: policyPath, limits: limitsPath }: Pick<Flags, "policy" | "limits">,
  { credentials, revoked, policy }: ReloadableConfig,
  log: Logger,
): void {
  using reminder = new ExpiryReminder(log);
  reminder.watch(namedEnds(credentials));
  log.info(`The certificates in "${certs}" can be used, ${revoked.size} are revoked`, { revoked: revoked.size });
  if (limitsPath !== undefined) log.info(`The limits file "${limitsPath}" can be used`);
  if (policyPath === undefined) return log.info("There is no policy file: the roles are admin, operator and viewer");
  const { roles, templates } = policy.policy;
  log.info(`The policy file "${policyPath}" can be used, roles: ${roles.size}, templates: ${templates.size}`, {
    roles: roles.size,
    templates: templates.size,
  });
}
