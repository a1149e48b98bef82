/** Decides who may do what: a role has rules, and a rule allows some calls on some jobs. Everything else is denied. */
import type { CallName } from "../../proto/service.ts";
import { PermissionDeniedError } from "../errors.ts";
import type { Identity } from "./identity.ts";
import { commandRefusal, type CommandRule } from "./command.ts";
import type { Template } from "./template.ts";
import type * as wire from "../../proto/teleport/v1/job_worker.ts";

/** The jobs of a rule: the caller's, all, or those with all of these labels. */
export type Scope = "own" | "all" | { readonly labels: Readonly<Record<string, string>> };

/** One rule of a role. */
export interface Rule extends CommandRule {
  /** The name for decisions, such as `operator/1`. */
  readonly name: string;
  readonly calls: ReadonlySet<CallName>;
  readonly jobs: Scope;
}

/** The roles with their rules, and the templates. */
export interface Policy {
  readonly roles: ReadonlyMap<string, readonly Rule[]>;
  readonly templates: ReadonlyMap<string, Template>;
}

/** The properties of a job that rules use. */
export interface JobFacts {
  readonly owner?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

/** A decision and its reason. */
export interface Decision {
  readonly allowed: boolean;
  /** The name of the rule that allows the call. For a denial, a sentence about the missing rule. */
  readonly rule: string;
}

/** The kind of each call: it reads, it changes something, or it is about the caller itself. A missing call does not compile. */
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
  Resize: "change",
  Input: "change",
  List: "read",
  Remove: "change",
  WatchJobs: "read",
  WhoAmI: "self",
  CanI: "self",
  Info: "self",
};

const SERVICE = "/teleport.v1.JobWorker/";

/** The other services: health for every user, and reflection for everyone with a role. */
const HEALTH = "/grpc.health.v1.Health/";
const REFLECTION = /^\/grpc\.reflection\.v1(?:alpha)?\.ServerReflection\//;

/** Returns whether a rule allows a call. Every rule that allows Input also allows Resize. */
function allows({ calls }: Rule, call: CallName): boolean {
  return calls.has(call) || (call === "Resize" && calls.has("Input"));
}

/** Returns the rules of the caller's roles that allow a call, in the order of the roles. */
export function rulesFor({ roles }: Policy, identity: Identity, call: CallName): Rule[] {
  return identity.roles.flatMap((role) => roles.get(role) ?? []).filter((rule) => allows(rule, call));
}

/** Returns whether a rule applies to this job for this caller. */
function covers({ jobs }: Rule, identity: Identity, { owner, labels }: JobFacts): boolean {
  if (jobs === "all") return true;
  if (jobs === "own") return owner === identity.user;
  return Object.entries(jobs.labels).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value);
}

/** Returns whether the policy allows the caller anything besides health. */
export function hasRole({ roles }: Policy, identity: Identity): boolean {
  return identity.roles.some((role) => (roles.get(role)?.length ?? 0) > 0);
}

/** Decides on a method by its full name, before the message is read. */
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

/** Returns the call of a method's full name; undefined for a method of another service. */
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

/** Returns whether the caller may see a job. Other jobs are reported as missing. */
export function sees(policy: Policy, identity: Identity, job: JobFacts): boolean {
  return job.owner === identity.user || decideJob(policy, identity, "Status", job).allowed;
}

/** Returns whether rules without limits allow the caller every call on every job. */
export function mayDoEverything(policy: Policy, identity: Identity): boolean {
  const calls = Object.keys(CALL_KINDS) as CallName[];
  return calls.filter((call) => CALL_KINDS[call] !== "self").every((call) =>
    rulesFor(policy, identity, call).some(({ jobs, commands, templates }) =>
      jobs === "all" && commands === undefined && templates === undefined
    )
  );
}

/** Decides on the registration of a job. A request with a template is decided by the name of the template. */
export function decideRegister(policy: Policy, identity: Identity, request: wire.JobRequest): Decision {
  const job = { owner: identity.user, labels: request.labels };
  let refusal: string | undefined;
  for (const rule of rulesFor(policy, identity, "Register")) {
    const why = covers(rule, identity, job)
      ? commandRefusal(rule, request)
      : `rule "${rule.name}" needs labels that the job does not have`;
    if (why === undefined) return { allowed: true, rule: rule.name };
    refusal ??= why;
  }
  return refusal === undefined ? denial(identity, "Register") : { allowed: false, rule: refusal };
}

/** The jobs that a call on many jobs may show. Without fields: all. */
export interface JobScope {
  /** The only owner whose jobs may be shown. */
  readonly owner?: string;
  /** Returns whether a job may be shown. */
  readonly shows?: (job: JobFacts) => boolean;
}

/** Returns which jobs a call on many jobs may show. */
export function listScope(policy: Policy, identity: Identity, call: "List" | "WatchJobs"): JobScope {
  const rules = rulesFor(policy, identity, call);
  if (rules.some(({ jobs }) => jobs === "all")) return {};
  if (rules.every(({ jobs }) => jobs === "own")) return { owner: identity.user };
  return { shows: (job) => rules.some((rule) => covers(rule, identity, job)) };
}

/** Returns the error of a denial. Its message says what to do. */
export function denied({ rule }: Decision): PermissionDeniedError {
  return new PermissionDeniedError(`${rule.charAt(0).toUpperCase()}${rule.slice(1)}`);
}

/** Returns the denial of a call that no rule of the caller allows. */
function denial(identity: Identity, call: string): Decision {
  const roles = identity.roles.map((role) => JSON.stringify(role)).join(", ") || "none";
  return {
    allowed: false,
    rule: `user ${JSON.stringify(identity.user)} with roles ${roles} may not call "${call}" here: ` +
      "ask for a certificate with a role that may",
  };
}
