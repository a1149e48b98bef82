/** The policy without a policy file: three roles. */
import type { CallName } from "../../proto/service.ts";
import { CALL_KINDS, type Policy, type Rule } from "./policy.ts";

/** Returns the calls of some kinds. */
export function callsOfKind(...kinds: readonly string[]): Set<CallName> {
  return new Set((Object.keys(CALL_KINDS) as CallName[]).filter((call) => kinds.includes(CALL_KINDS[call])));
}

const adminRule: Rule = {
  name: "admin/1",
  calls: callsOfKind("read", "change"),
  jobs: "all",
  users: ["*"],
  groups: ["*"],
  options: ["*"],
};
const operatorRule: Rule = { name: "operator/1", calls: callsOfKind("read", "change"), jobs: "own" };
const viewerRule: Rule = { name: "viewer/1", calls: callsOfKind("read"), jobs: "all" };

/** The role `admin` may do everything, `operator` everything with its own jobs, and `viewer` may read all jobs. */
export const DEFAULT_POLICY: Policy = {
  roles: new Map([["admin", [adminRule]], ["operator", [operatorRule]], ["viewer", [viewerRule]]]),
  templates: new Map(),
};
