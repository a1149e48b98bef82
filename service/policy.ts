/** Who may do what: a table by method and role. What is not in it is denied. */
import type { CallName } from "../proto/service.ts";
import { PermissionDeniedError } from "./errors.ts";
import type { Identity } from "./identity.ts";

/** Whose jobs a role may use a call on. */
export type Scope = "own" | "all";

type Role = "admin" | "operator" | "viewer";
type Rule = Readonly<Partial<Record<Role, Scope>>>;

const READ: Rule = { admin: "all", operator: "own", viewer: "all" };
const CHANGE: Rule = { admin: "all", operator: "own" };

const RULES: Readonly<Record<CallName, Rule>> = {
  Register: CHANGE,
  Start: CHANGE,
  StatusStream: READ,
  Status: READ,
  Stop: CHANGE,
  GetOutput: READ,
  Signal: CHANGE,
  List: READ,
  Remove: CHANGE,
  WatchJobs: READ,
};

const SERVICE = "/teleport.v1.JobWorker/";

/** Beside the job worker: health for every user, reflection for everyone with a role. */
const HEALTH = "/grpc.health.v1.Health/";
const REFLECTION = /^\/grpc\.reflection\.v1(?:alpha)?\.ServerReflection\//;

/** Returns whose jobs the caller may use a call on; undefined: nobody's. */
export function scopeOf(identity: Identity, call: CallName): Scope | undefined {
  const scopes = identity.roles.map((role) => Object.hasOwn(RULES[call], role) ? RULES[call][role as Role] : undefined);
  return scopes.find((scope) => scope === "all") ?? scopes.find((scope) => scope === "own");
}

/**
 * Decides whether the caller may use a method at all, before anything of the message is looked at.
 *
 * @param method the full name, such as `/teleport.v1.JobWorker/Register`
 * @throws {PermissionDeniedError}
 */
export function admit(identity: Identity, method: string): void {
  if (method.startsWith(HEALTH)) return;
  if (REFLECTION.test(method) && scopeOf(identity, "List") !== undefined) return;
  const call = method.startsWith(SERVICE) ? method.slice(SERVICE.length) : "";
  if (Object.hasOwn(RULES, call) && scopeOf(identity, call as CallName) !== undefined) return;
  throw denied(identity, call === "" ? method : call);
}

/** The refusal of a call, which says what to do about it. */
export function denied(identity: Identity, call: string): PermissionDeniedError {
  const roles = identity.roles.map((role) => JSON.stringify(role)).join(", ") || "none";
  return new PermissionDeniedError(
    `User ${JSON.stringify(identity.user)} with roles ${roles} may not call "${call}" here: ` +
      "ask for a certificate with a role that may",
  );
}
