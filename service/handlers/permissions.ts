/** Decides on calls by the policy in force, and records each decision. */
import { JobNotFoundError, type JobStatus, type Supervisor, TeleportError } from "../../mod.ts";
import type { CallContext, CallName } from "../../proto/service.ts";
import { type Audit, type AuditEntry, callerOf } from "../audit/audit.ts";
import type { CallAudit } from "../audit/call_audit.ts";
import { textForEntry } from "../audit/excerpts.ts";
import { identify, type Identity } from "../policy/identity.ts";
import {
  callOf,
  decideJob,
  decideMethod,
  denied,
  type JobScope,
  listScope,
  type Policy,
  sees,
} from "../policy/policy.ts";

/** Options of {@linkcode createPermissions}. */
export interface PermissionOptions {
  /** Returns the policy that is in force. Called for every call. */
  readonly policy: () => Policy;
  readonly audit: Audit;
  readonly callAudit: CallAudit;
}

/** The decisions that handlers ask for. */
export interface Permissions {
  /**
   * Decides on a call by its caller and its method, before a handler is reached.
   *
   * @throws {UnauthenticatedError} when the certificate names no user
   * @throws {PermissionDeniedError} when no role of the user allows the call
   */
  readonly admit: (context: CallContext) => void;
  /** Returns a job; undefined when there is none. */
  readonly find: (id: string) => Promise<JobStatus | undefined>;
  /** Returns the ids with an empty one for each hidden job. The time until a hidden job is removed stays secret. */
  readonly hideOthers: (ids: readonly string[], context: CallContext) => Promise<string[]>;
  /**
   * Decides on a call on one job.
   *
   * @throws {JobNotFoundError} also when the caller may not see the job
   * @throws {PermissionDeniedError} when the caller may see the job but not make the call
   */
  readonly permit: (call: CallName, id: string, context: CallContext) => Promise<Identity>;
  /** Decides on a call on several jobs, as `permit` does on each. */
  readonly permitAll: (call: CallName, ids: readonly string[], context: CallContext) => Promise<void>;
  /**
   * Decides on a call on many jobs. Returns which jobs it may show.
   *
   * @throws {PermissionDeniedError} when no role of the user allows the call
   */
  readonly permitMany: (call: "List" | "WatchJobs", context: CallContext) => JobScope;
}

/** Creates the decisions for the jobs of a supervisor. */
export function createPermissions(
  supervisor: Pick<Supervisor, "status">,
  { policy, audit, callAudit }: PermissionOptions,
): Permissions {
  async function find(id: string): Promise<JobStatus | undefined> {
    try {
      return await supervisor.status(id, { cached: true });
    } catch (error) {
      if (error instanceof JobNotFoundError) return undefined;
      throw error;
    }
  }

  async function permit(call: CallName, id: string, context: CallContext): Promise<Identity> {
    const identity = identify(context.certificate);
    const method = decideMethod(policy(), identity, context.method);
    callAudit.add(context, { ...method, job: textForEntry(id) });
    if (!method.allowed) throw denied(method);
    const status = await find(id);
    if (status === undefined || !sees(policy(), identity, status)) {
      callAudit.add(context, { allowed: false, rule: status === undefined ? "no such job" : "another user's job" });
      throw new JobNotFoundError(id);
    }
    const decision = decideJob(policy(), identity, call, status);
    callAudit.add(context, decision);
    if (!decision.allowed) throw denied(decision);
    return identity;
  }

  async function hideOthers(ids: readonly string[], context: CallContext): Promise<string[]> {
    const identity = identify(context.certificate);
    return await inBatches(ids, context, async (id) => {
      const job = await find(id);
      return job === undefined || sees(policy(), identity, job) ? id : "";
    });
  }

  async function permitAll(call: CallName, ids: readonly string[], context: CallContext): Promise<void> {
    await inBatches(ids, context, (id) => permit(call, id, context));
  }

  function permitMany(call: "List" | "WatchJobs", context: CallContext): JobScope {
    const identity = identify(context.certificate);
    const decision = decideMethod(policy(), identity, context.method);
    callAudit.add(context, decision);
    if (!decision.allowed) throw denied(decision);
    return listScope(policy(), identity, call);
  }

  function admit(context: CallContext): void {
    const refuse = (entry: Partial<AuditEntry>, error: TeleportError): never => {
      const call = callOf(context.method) ?? context.method;
      audit.record({ event: "call", ...callerOf(context), call, allowed: false, ...entry, code: error.code });
      throw error;
    };
    let identity: Identity;
    try {
      identity = identify(context.certificate);
    } catch (error) {
      if (error instanceof TeleportError) return refuse({ rule: error.message }, error);
      throw error;
    }
    const decision = decideMethod(policy(), identity, context.method);
    if (!decision.allowed) refuse(decision, denied(decision));
  }

  return { admit, find, hideOthers, permit, permitAll, permitMany };
}

/** The number of jobs of one batch, which takes 3 ms. A thousand jobs would take 50 ms. */
const IDS_AT_ONCE = 50;

/** Calls a function for each id, a batch at a time. Other work runs between two batches. */
async function inBatches<T>(
  ids: readonly string[],
  { turn }: CallContext,
  act: (id: string) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  for (let at = 0; at < ids.length; at += IDS_AT_ONCE) {
    if (at > 0) await turn?.();
    results.push(...await Promise.all(ids.slice(at, at + IDS_AT_ONCE).map(act)));
  }
  return results;
}
