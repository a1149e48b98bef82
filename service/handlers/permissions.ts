/** Lets calls through to jobs or not, as the policy says that is in force, and has each decision written down. */
import { JobNotFoundError, type JobStatus, type Supervisor, TeleportError } from "../../mod.ts";
import type { CallContext, CallName } from "../../proto/service.ts";
import { type Audit, type AuditEntry, callerOf, textForRecord } from "../audit/audit.ts";
import type { CallAudit } from "../audit/audited.ts";
import { identify, type Identity } from "../policy/identity.ts";
import { callOf, decideJob, decideMethod, denied, listScope, type Policy, sees } from "../policy/policy.ts";

/** What decides, and where decisions go. */
export interface PermissionOptions {
  /** The policy that is in force; asked at every call. */
  readonly policy: () => Policy;
  readonly audit: Audit;
  readonly notes: CallAudit;
}

/** What a service asks before it does anything. */
export function permissions(supervisor: Pick<Supervisor, "status">, { policy, audit, notes }: PermissionOptions) {
  /** The job; undefined when there is none. */
  async function find(id: string): Promise<JobStatus | undefined> {
    try {
      return await supervisor.status(id);
    } catch (error) {
      if (error instanceof JobNotFoundError) return undefined;
      throw error;
    }
  }

  /** Looks a job up for a call on it: what the caller may not see does not exist. */
  async function permit(call: CallName, id: string, context: CallContext): Promise<Identity> {
    const identity = identify(context.certificate);
    const method = decideMethod(policy(), identity, context.method);
    notes.add(context, { ...method, job: textForRecord(id) });
    if (!method.allowed) throw denied(method);
    const status = await find(id);
    if (status === undefined || !sees(policy(), identity, status)) {
      notes.add(context, { allowed: false, rule: status === undefined ? "no such job" : "another user's job" });
      throw new JobNotFoundError(id);
    }
    const decision = decideJob(policy(), identity, call, status);
    notes.add(context, decision);
    if (!decision.allowed) throw denied(decision);
    return identity;
  }

  /** Ids of jobs to wait for; in place of another's one that no job has, or whoever waits would keep it from going. */
  async function hideOthers(ids: readonly string[], context: CallContext): Promise<string[]> {
    const identity = identify(context.certificate);
    return await inTurns(ids, context, async (id) => {
      const job = await find(id);
      return job === undefined || sees(policy(), identity, job) ? id : "";
    });
  }

  /** Looks jobs up for a call on all of them, as `permit` does. */
  async function permitAll(call: CallName, ids: readonly string[], context: CallContext): Promise<void> {
    await inTurns(ids, context, (id) => permit(call, id, context));
  }

  /** Decides on a call on many jobs, and which of them it may show. */
  function permitMany(call: "List" | "WatchJobs", context: CallContext) {
    const identity = identify(context.certificate);
    const decision = decideMethod(policy(), identity, context.method);
    notes.add(context, decision);
    if (!decision.allowed) throw denied(decision);
    return listScope(policy(), identity, call);
  }

  /** Decides on a call before a handler is reached, by who makes it and which it is. */
  function admit(context: CallContext): void {
    const refuse = (note: Partial<AuditEntry>, error: TeleportError): never => {
      const call = callOf(context.method) ?? context.method;
      audit.record({ event: "call", ...callerOf(context), call, allowed: false, ...note, code: error.code });
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

/** Looked up at once: 3 ms. A thousand would take 50. */
const IDS_AT_ONCE = 50;

/** Does something for each id, some at a time. */
async function inTurns<T>(
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
