/** The call Register: adds a job without starting it. */
import type { JobWorkerHandlers } from "../../proto/service.ts";
import type { JobRequest } from "../../proto/teleport/v1/job_worker.ts";
import type { AuditEntry } from "../audit/audit.ts";
import { argsForEntry, namesForEntry, parametersForEntry, textForEntry } from "../audit/excerpts.ts";
import { jobOptionsOf } from "../convert/job_options.ts";
import { refuseFields } from "../convert/unsupported.ts";
import { statusMessage } from "../convert/status.ts";
import { identify } from "../policy/identity.ts";
import { decideRegister, denied } from "../policy/policy.ts";
import { expandTemplate } from "../policy/template.ts";
import type { HandlerParts } from "./parts.ts";

/** The most characters of a command in the audit log, more than any path needs. */
const MAX_COMMAND_CHARS = 1_000;

export function registerHandler({ supervisor, callAudit, policy }: HandlerParts): JobWorkerHandlers["Register"] {
  return async (request, context) => {
    const identity = identify(context.certificate);
    callAudit.add(context, requestForEntry(request));
    refuseFields(request, ["like", "rerun"]);
    const decision = decideRegister(policy(), identity, request);
    callAudit.add(context, decision);
    if (!decision.allowed) throw denied(decision);
    const job = expandTemplate(policy().templates, request);
    callAudit.add(context, commandForEntry(job));
    const id = await supervisor.add(job.command, job.args, jobOptionsOf(job, identity.user));
    callAudit.add(context, { job: id });
    return statusMessage(await supervisor.status(id));
  };
}

function commandForEntry({ command, args }: JobRequest): Partial<AuditEntry> {
  return { command: command.slice(0, MAX_COMMAND_CHARS), args: argsForEntry(args) };
}

function requestForEntry(request: JobRequest): Partial<AuditEntry> {
  const { env, user, group, template, parameters, terminal } = request;
  return {
    ...commandForEntry(request),
    env: namesForEntry(env),
    ...(user === "" ? {} : { runAs: textForEntry(user) }),
    ...(group === "" ? {} : { runAsGroup: textForEntry(group) }),
    ...(terminal === null ? {} : { terminal: `${terminal.columns}x${terminal.rows}` }),
    ...(template === "" ? {} : { template: textForEntry(template), parameters: parametersForEntry(parameters) }),
  };
}
