/** Who may do what: roles with rules, each for some calls on some jobs. What no rule allows is denied. */
import type { CallName } from "../../proto/service.ts";
import { PermissionDeniedError } from "../errors.ts";
import type { Identity } from "./identity.ts";
import { commandRefusal, type CommandRule } from "./command.ts";
import type { Template } from "./template.ts";
import type * as wire from "../../proto/teleport/v1/job_worker.ts";

/** Whose jobs a rule is for: the caller's, everybody's, or those with all of these labels. */
export type Scope = "own" | "all" | { readonly labels: Readonly<Record<string, string>> };

/** One rule of a role. */
export interface Rule extends CommandRule {
  /** By which decisions name it, such as `operator/1`. */
  readonly name: string;
  readonly calls: ReadonlySet<CallName>;
  readonly jobs: Scope;
}

/** Roles with their rules, and the commands that they may be limited to. */
export interface Policy {
  readonly roles: ReadonlyMap<string, readonly Rule[]>;
  readonly templates: ReadonlyMap<string, Template>;
}

/** What of a job a rule looks at. */
export interface JobFacts {
  readonly owner?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

/** What was decided, and why. */
export interface Decision {
  readonly allowed: boolean;
  /** The rule that allows it; when denied, the sentence that says which one is missing. */
  readonly rule: string;
}

/**
 * What each call does: read, change, or only speak of the caller. A call that is not here does not compile, so that
 * nobody forgets to think about it.
 */
export const CALL_KINDS: Readonly<Record<CallName, "read" | "change" | "self">> = {
  Register: "change",
  Start: "change",
  StatusStream: "read",
  Status: "read",
  Stop: "change",
  GetOutput: "read",
  Signal: "change",
  Pause: "change",
  Resume: "change",
  Input: "change",
  List: "read",
  Remove: "change",
  WatchJobs: "read",
  WhoAmI: "self",
  CanI: "self",
  Info: "self",
};

const SERVICE = "/teleport.v1.JobWorker/";

/** Beside the job worker: health for every user, reflection for everyone who may call anything. */
const HEALTH = "/grpc.health.v1.Health/";
const REFLECTION = /^\/grpc\.reflection\.v1(?:alpha)?\.ServerReflection\//;

/** The rules of the caller's roles that are for a call, in the order of the roles. */
export function rulesFor({ roles }: Policy, identity: Identity, call: CallName): Rule[] {
  return identity.roles.flatMap((role) => roles.get(role) ?? []).filter(({ calls }) => calls.has(call));
}

/** True when a rule is for this job of this caller. */
function covers({ jobs }: Rule, identity: Identity, { owner, labels }: JobFacts): boolean {
  if (jobs === "all") return true;
  if (jobs === "own") return owner === identity.user;
  return Object.entries(jobs.labels).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value);
}

/** Whether the policy allows the caller anything besides health. */
export function hasRole({ roles }: Policy, identity: Identity): boolean {
  return identity.roles.some((role) => (roles.get(role)?.length ?? 0) > 0);
}

/** Decides on a method by its full name, before anything of the message is looked at. */
export function decideMethod(policy: Policy, identity: Identity, method: string): Decision {
  if (method.startsWith(HEALTH)) return { allowed: true, rule: "health" };
  const known = hasRole(policy, identity);
  if (known && REFLECTION.test(method)) return { allowed: true, rule: "reflection" };
  const call = callOf(method);
  if (call === undefined) return denial(identity, method);
  if (CALL_KINDS[call] === "self") return known ? { allowed: true, rule: "self" } : denial(identity, call);
  const [first] = rulesFor(policy, identity, call);
  return first === undefined ? denial(identity, call) : { allowed: true, rule: first.name };
}

/** The call of a method's full name; undefined when it is none of the job worker. */
export function callOf(method: string): CallName | undefined {
  const name = method.startsWith(SERVICE) ? method.slice(SERVICE.length) : "";
  return Object.hasOwn(CALL_KINDS, name) ? name as CallName : undefined;
}

/** Decides on a call on a job. */
export function decideJob(policy: Policy, identity: Identity, call: CallName, job: JobFacts): Decision {
  const rules = rulesFor(policy, identity, call);
  const rule = rules.find((rule) => covers(rule, identity, job));
  return rule === undefined ? denial(identity, call) : { allowed: true, rule: rule.name };
}

/** Whether the caller may know that there is such a job: without that, it does not exist. */
export function sees(policy: Policy, identity: Identity, job: JobFacts): boolean {
  return job.owner === identity.user || decideJob(policy, identity, "Status", job).allowed;
}

/** Decides on a job that is to be registered; what a template makes of the request is judged by the template's name. */
export function decideRegister(policy: Policy, identity: Identity, request: wire.JobRequest): Decision {
  const job = { owner: identity.user, labels: request.labels };
  let refusal: string | undefined;
  for (const rule of rulesFor(policy, identity, "Register")) {
    const why = covers(rule, identity, job)
      ? commandRefusal(rule, request)
      : `rule "${rule.name}" asks for labels that the job has not`;
    if (why === undefined) return { allowed: true, rule: rule.name };
    refusal ??= why;
  }
  return refusal === undefined ? denial(identity, "Register") : { allowed: false, rule: refusal };
}

/** Which jobs a call on many may show: a filter for the store, and a test where that does not suffice. */
export function listScope(
  policy: Policy,
  identity: Identity,
  call: "List" | "WatchJobs",
): { readonly owner?: string; readonly shows?: (job: JobFacts) => boolean } {
  const rules = rulesFor(policy, identity, call);
  if (rules.some(({ jobs }) => jobs === "all")) return {};
  if (rules.every(({ jobs }) => jobs === "own")) return { owner: identity.user };
  return { shows: (job) => rules.some((rule) => covers(rule, identity, job)) };
}

/** The error of a decision against the caller, which says what to do about it. */
export function denied({ rule }: Decision): PermissionDeniedError {
  return new PermissionDeniedError(`${rule.charAt(0).toUpperCase()}${rule.slice(1)}`);
}

/** No rule of the caller's is for the call. */
function denial(identity: Identity, call: string): Decision {
  const roles = identity.roles.map((role) => JSON.stringify(role)).join(", ") || "none";
  return {
    allowed: false,
    rule: `user ${JSON.stringify(identity.user)} with roles ${roles} may not call "${call}" here: ` +
      "ask for a certificate with a role that may",
  };
}
