/** The call CanI: answers whether a call would be allowed, and by which rule. */
import { quote } from "../../base/quote.ts";
import { InvalidArgumentError, JobNotFoundError, TeleportError } from "../../mod.ts";
import type { CallName, JobWorkerHandlers, Sent } from "../../proto/service.ts";
import type { CanIRequest, CanIResponse, JobRequest } from "../../proto/teleport/v1/job_worker.ts";
import { textForEntry } from "../audit/excerpts.ts";
import type { Identity } from "../policy/identity.ts";
import {
  CALL_KINDS,
  decideJob,
  decideMethod,
  decideRegister,
  type Decision,
  type JobFacts,
  type Policy,
  rulesFor,
  sees,
} from "../policy/policy.ts";
import { ruleText } from "../policy/rule_text.ts";
import { expandTemplate } from "../policy/template.ts";
import { type HandlerParts, identifySelf } from "./parts.ts";
import { completeRequest } from "./source_job.ts";

export function canIHandler(parts: HandlerParts): JobWorkerHandlers["CanI"] {
  const { callAudit, permissions, policy } = parts;
  return async (request, context) => {
    const identity = identifySelf(parts, context);
    callAudit.add(context, { text: textForEntry(request.call) });
    const full = async (job: JobRequest) => {
      try {
        return await completeRequest(job, context, parts);
      } finally {
        // The call itself is allowed, whatever the other job is.
        callAudit.add(context, { ...decideMethod(policy(), identity, context.method) });
      }
    };
    return await canI(policy(), identity, request, { find: permissions.find, full });
  };
}

/**
 * Answers whether a call would be allowed, by which rule, or with which code it would fail. A job that the caller may not
 * see is answered like a missing one.
 *
 * @param lookUp.find looks up a job by its id
 * @param lookUp.full returns a request that is complete
 * @throws {InvalidArgumentError} when no call has that name
 */
async function canI(
  policy: Policy,
  identity: Identity,
  request: CanIRequest,
  { find, full }: {
    readonly find: (id: string) => Promise<JobFacts | undefined>;
    readonly full: (job: JobRequest) => Promise<JobRequest>;
  },
): Promise<Sent<CanIResponse>> {
  const call = Object.keys(CALL_KINDS).find((name) => name.toLowerCase() === request.call.toLowerCase());
  if (call === undefined) {
    throw new InvalidArgumentError(
      `Unknown call ${quote(request.call)}: give one of ${Object.keys(CALL_KINDS).join(", ")}`,
    );
  }
  const name = call as CallName;
  const general = decideMethod(policy, identity, `/teleport.v1.JobWorker/${name}`);
  if (!general.allowed) return answer(general);
  if (name === "Register" && request.job !== null) return await canRegister(policy, identity, request.job, full);
  if (request.id === "") {
    const rules = rulesFor(policy, identity, name).map(ruleText).join("; ");
    return answer({ allowed: true, rule: rules || general.rule });
  }
  const job = await find(request.id);
  if (job === undefined || !sees(policy, identity, job)) {
    return answer({ allowed: false, rule: new JobNotFoundError(request.id).message }, "JOB_NOT_FOUND");
  }
  return answer(decideJob(policy, identity, name, job));
}

async function canRegister(
  policy: Policy,
  identity: Identity,
  request: JobRequest,
  full: (job: JobRequest) => Promise<JobRequest>,
): Promise<Sent<CanIResponse>> {
  let decision: Decision;
  try {
    const job = await full(request);
    decision = decideRegister(policy, identity, job);
    if (!decision.allowed) return answer(decision);
    expandTemplate(policy.templates, job);
  } catch (error) {
    if (!(error instanceof TeleportError)) throw error;
    return answer({ allowed: false, rule: error.message }, error.code);
  }
  return answer(decision);
}

function answer({ allowed, rule }: Decision, code = "PERMISSION_DENIED"): Sent<CanIResponse> {
  return { allowed, rule, code: allowed ? "OK" : code };
}
