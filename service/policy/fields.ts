/** What each field of a request to register is to a policy: so that a new one is nobody's way round a limited role. */
import type * as wire from "../../proto/teleport/v1/job_worker.ts";

/**
 * - `judged`: has a check of its own, in `policy_command.ts` or `template.ts`
 * - `harmless`: describes or limits a job, and changes nothing about what it does: any rule allows it
 * - `guarded`: could make another job of a permitted command, as its input could; a rule that is limited to commands or
 *   templates must name it in `options`
 * - `privileged`: gives a job more than the server's user has without it; every rule must name it in `options`
 *
 * With `if present` the field's absence alone counts as not given, for its zero says something too.
 */
export type FieldKind =
  | "judged"
  | "harmless"
  | "guarded"
  | "privileged"
  | "guarded if present"
  | "privileged if present";

/** Of a field that can be absent, a kind that looks at that; of the others, one that does not. */
type KindOf<Name extends keyof wire.JobRequest> = object extends Pick<wire.JobRequest, Name> ? PresentKind
  : null extends wire.JobRequest[Name] ? PresentKind
  : Exclude<FieldKind, `${string} if present`>;
type PresentKind = Exclude<FieldKind, "guarded" | "privileged">;

/** As whom a job runs is judged wherever such a field appears. */
type KindIn<Name> = Name extends keyof wire.JobRequest ? KindOf<Name> : "judged";

/** A field that is not here does not compile, so that nobody forgets to think about it. */
export const FIELD_KINDS: { readonly [Name in keyof Required<wire.JobRequest> | "user" | "group"]: KindIn<Name> } = {
  command: "judged",
  args: "judged",
  env: "judged",
  cwd: "judged",
  labels: "harmless",
  timeout_ms: "harmless",
  grace_ms: "harmless",
  max_output_bytes: "harmless",
  output_policy: "harmless",
  request_id: "harmless",
  // What an interpreter reads there is a program.
  input: "guarded",
  user: "judged",
  group: "judged",
  umask: "guarded if present",
  nice: "harmless",
  rlimits: "guarded if present",
  cgroup_limits: "guarded if present",
  allow_new_privileges: "privileged",
  inherit_env: "privileged",
  isolation: "guarded",
  template: "judged",
  parameters: "judged",
};

/** The fields that a rule can name in `options`. */
export function optionNames(kinds: Readonly<Record<string, FieldKind>> = FIELD_KINDS): string[] {
  return Object.keys(kinds).filter((name) => /^(guarded|privileged)/.test(kinds[name] ?? ""));
}

/** What of a request a rule has to name in `options`, if that is limited to commands or templates, and if it is not. */
export function askedOptions(
  request: object,
  limited: boolean,
  kinds: Readonly<Record<string, FieldKind>> = FIELD_KINDS,
): string[] {
  return Object.entries(request).filter(([name, value]) => {
    // What no table knows is the last thing to be let through.
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : "privileged";
    if (kind === undefined || kind === "judged" || kind === "harmless") return false;
    if (kind.startsWith("guarded") && !limited) return false;
    return kind.endsWith("if present") ? value !== undefined && value !== null : !isDefault(value);
  }).map(([name]) => name);
}

/** True for what a field has that was not sent. */
function isDefault(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === 0 || value === false) return true;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0;
  if (typeof value === "string") return value.endsWith("_UNSPECIFIED");
  return typeof value === "object" && Object.keys(value).length === 0;
}
