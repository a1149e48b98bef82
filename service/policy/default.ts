/** The policy without a policy file: three roles. A call that is in none of the kinds is allowed to nobody. */
import type { CallName } from "../../proto/service.ts";
import { CALL_KINDS, type Policy, type Rule } from "./policy.ts";

/** The calls of some kinds. */
export function callsOfKind(...kinds: readonly string[]): Set<CallName> {
  return new Set((Object.keys(CALL_KINDS) as CallName[]).filter((call) => kinds.includes(CALL_KINDS[call])));
}

const everything: Rule = {
  name: "admin/1",
  calls: callsOfKind("read", "change"),
  jobs: "all",
  users: ["*"],
  groups: ["*"],
  options: ["*"],
};
const own: Rule = { name: "operator/1", calls: callsOfKind("read", "change"), jobs: "own" };
const reading: Rule = { name: "viewer/1", calls: callsOfKind("read"), jobs: "all" };

/** `admin` everything on every job, `operator` everything on its own, `viewer` reads every job. */
export const DEFAULT_POLICY: Policy = {
  roles: new Map([["admin", [everything]], ["operator", [own]], ["viewer", [reading]]]),
  templates: new Map(),
};
