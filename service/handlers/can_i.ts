/** The call CanI: answers whether a call would be allowed, and by which rule. */
import { quote } from "../../base/quote.ts";
import { InvalidArgumentError, JobNotFoundError, TeleportError } from "../../mod.ts";
import type { CallName, JobWorkerHandlers, Sent } from "../../proto/service.ts";
import type { CanIRequest, CanIResponse, JobRequest } from "../../proto/teleport/v1/job_worker.ts";
import { textForEntry } from "../audit/excerpts.ts";
import { refuseFields } from "../convert/unsupported.ts";
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

export function canIHandler(parts: HandlerParts): JobWorkerHandlers["CanI"] {
  const { callAudit, permissions, policy } = parts;
  return async (request, context) => {
    const identity = identifySelf(parts, context);
    callAudit.add(context, { text: textForEntry(request.call) });
    return await canI(policy(), identity, request, permissions.find);
  };
}

/**
 * Answers whether a call would be allowed, by which rule, or with which code it would fail. A job that the caller may not
 * see is answered like a missing one.
 *
 * @param find looks up a job by its id
 * @throws {InvalidArgumentError} when no call has that name
 */
async function canI(
  policy: Policy,
  identity: Identity,
  request: CanIRequest,
  find: (id: string) => Promise<JobFacts | undefined>,
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
  if (name === "Register" && request.job !== null) return canRegister(policy, identity, request.job);
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

function canRegister(policy: Policy, identity: Identity, job: JobRequest): Sent<CanIResponse> {
  const decision = decideRegister(policy, identity, job);
  if (!decision.allowed) return answer(decision);
  try {
    refuseFields(job, ["like", "rerun"]);
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
