/** The call Register: adds a job without starting it. */
import { JobNotFoundError } from "../../mod.ts";
import type { JobWorkerHandlers } from "../../proto/service.ts";
import type { JobRequest } from "../../proto/teleport/v1/job_worker.ts";
import type { AuditEntry } from "../audit/audit.ts";
import { argsForEntry, namesForEntry, parametersForEntry, textForEntry } from "../audit/excerpts.ts";
import { jobOptionsOf } from "../convert/job_options.ts";
import { statusMessage } from "../convert/status.ts";
import { identify } from "../policy/identity.ts";
import { decideMethod, decideRegister, denied } from "../policy/policy.ts";
import { expandTemplate } from "../policy/template.ts";
import type { HandlerParts } from "./parts.ts";
import { completeRequest, repeatedRerun } from "./source_job.ts";

/** The most characters of a command in the audit log, more than any path needs. */
const MAX_COMMAND_CHARS = 1_000;

export function registerHandler(parts: HandlerParts): JobWorkerHandlers["Register"] {
  const { supervisor, callAudit, policy } = parts;
  return async (sent, context) => {
    const identity = identify(context.certificate);
    callAudit.add(context, requestForEntry(sent));
    let request: JobRequest;
    try {
      request = await completeRequest(sent, context, parts);
    } catch (error) {
      const id = error instanceof JobNotFoundError ? await repeatedRerun(sent, identity.user, supervisor) : undefined;
      if (id === undefined) throw error;
      callAudit.add(context, { ...decideMethod(policy(), identity, context.method), job: id });
      return statusMessage(await supervisor.status(id));
    }
    if (request !== sent) callAudit.add(context, requestForEntry(request));
    const decision = decideRegister(policy(), identity, request);
    callAudit.add(context, decision);
    if (!decision.allowed) throw denied(decision);
    const job = expandTemplate(policy().templates, request);
    callAudit.add(context, commandForEntry(job));
    const id = await supervisor.add(job.command, job.args, {
      ...jobOptionsOf(job, identity.user),
      ...(sent.rerun === "" ? {} : { rerunOf: sent.rerun }),
      ...(job.template === "" ? {} : { template: { name: job.template, parameters: { ...job.parameters } } }),
    });
    callAudit.add(context, { job: id });
    return statusMessage(await supervisor.status(id));
  };
}

function commandForEntry({ command, args }: JobRequest): Partial<AuditEntry> {
  return { command: command.slice(0, MAX_COMMAND_CHARS), args: argsForEntry(args) };
}

function requestForEntry(request: JobRequest): Partial<AuditEntry> {
  const { env, user, group, template, parameters, terminal, like, rerun } = request;
  return {
    ...commandForEntry(request),
    env: namesForEntry(env),
    ...(user === "" ? {} : { runAs: textForEntry(user) }),
    ...(like === "" ? {} : { like: textForEntry(like) }),
    ...(rerun === "" ? {} : { rerunOf: textForEntry(rerun) }),
    ...(group === "" ? {} : { runAsGroup: textForEntry(group) }),
    ...(terminal === null ? {} : { terminal: `${terminal.columns}x${terminal.rows}` }),
    ...(template === "" ? {} : { template: textForEntry(template), parameters: parametersForEntry(parameters) }),
  };
}
