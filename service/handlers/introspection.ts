/** What callers may ask about themselves: who they are here, and whether they may do something. */
import { InvalidArgumentError, JobNotFoundError, TeleportError } from "../../mod.ts";
import type { CallContext, CallName, Sent } from "../../proto/service.ts";
import type * as wire from "../../proto/teleport/v1/job_worker.ts";
import type { Identity } from "../policy/identity.ts";
import { timestamp } from "../convert/messages.ts";
import {
  CALL_KINDS,
  decideJob,
  decideMethod,
  decideRegister,
  type Decision,
  type JobFacts,
  type Policy,
  type Rule,
  rulesFor,
  sees,
} from "../policy/policy.ts";
import { expandTemplate } from "../policy/template.ts";

/** Says who the caller is, and which rules that gives. */
export function whoAmI(policy: Policy, identity: Identity, context: CallContext): Sent<wire.WhoAmIResponse> {
  const { certificate } = context;
  const known = identity.roles.filter((role) => policy.roles.has(role));
  return {
    user: identity.user,
    roles: [...identity.roles],
    known_roles: known,
    fingerprint: certificate?.fingerprint,
    serial_number: certificate?.serialNumber,
    not_after: certificate && timestamp(certificate.notAfter),
    rules: known.flatMap((role) => policy.roles.get(role) ?? []).map(ruleText),
  };
}

/** A rule in words, such as `operator/1: all calls on own jobs`. */
export function ruleText({ name, calls, jobs, commands, templates }: Rule): string {
  const all = (Object.keys(CALL_KINDS) as CallName[]).filter((call) => CALL_KINDS[call] !== "self");
  const reading = all.filter((call) => CALL_KINDS[call] === "read");
  const has = (set: readonly CallName[]) => calls.size === set.length && set.every((call) => calls.has(call));
  const what = has(all) ? "all calls" : has(reading) ? "read" : [...calls].join(", ");
  const whose = typeof jobs === "string"
    ? `${jobs} jobs`
    : `jobs with ${Object.entries(jobs.labels).map(([key, value]) => `${key}=${value}`).join(", ")}`;
  const limits = [
    ...(commands === undefined ? [] : [`commands ${commands.map(({ path }) => path).join(", ") || "none"}`]),
    ...(templates === undefined ? [] : [`templates ${[...templates].join(", ") || "none"}`]),
  ];
  return `${name}: ${what} on ${whose}${limits.length === 0 ? "" : `, only ${limits.join(", ")}`}`;
}

/**
 * Answers whether a call would be allowed, by which rule, or with which code it would fail. Nothing is done, and nothing
 * is told of jobs that the caller may not see.
 *
 * @throws {InvalidArgumentError} when there is no such call
 */
export async function canI(
  policy: Policy,
  identity: Identity,
  request: wire.CanIRequest,
  find: (id: string) => Promise<JobFacts | undefined>,
): Promise<Sent<wire.CanIResponse>> {
  const call = Object.keys(CALL_KINDS).find((name) => name.toLowerCase() === request.call.toLowerCase());
  if (call === undefined) {
    throw new InvalidArgumentError(
      `Unknown call ${JSON.stringify(request.call.slice(0, 100))}: give one of ${Object.keys(CALL_KINDS).join(", ")}`,
    );
  }
  const name = call as CallName;
  const general = decideMethod(policy, identity, `/teleport.v1.JobWorker/${name}`);
  if (!general.allowed) return answer(general);
  if (name === "Register" && request.job !== null) return register(policy, identity, request.job);
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

function register(policy: Policy, identity: Identity, job: wire.JobRequest): Sent<wire.CanIResponse> {
  const decision = decideRegister(policy, identity, job);
  if (!decision.allowed) return answer(decision);
  try {
    expandTemplate(policy.templates, job);
  } catch (error) {
    if (!(error instanceof TeleportError)) throw error;
    return answer({ allowed: false, rule: error.message }, error.code);
  }
  return answer(decision);
}

function answer({ allowed, rule }: Decision, code = "PERMISSION_DENIED"): Sent<wire.CanIResponse> {
  return { allowed, rule, code: allowed ? "OK" : code };
}
