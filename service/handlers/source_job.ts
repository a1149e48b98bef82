/**
 * Makes requests to register a job complete, so that the policy can decide on them. A request may refer to another job:
 * `like` takes its directory and environment, `rerun` everything.
 */
import { InvalidArgumentError, type Supervisor } from "../../mod.ts";
import type { CallContext } from "../../proto/service.ts";
import type { JobRequest } from "../../proto/teleport/v1/job_worker.ts";
import { requestFields } from "../convert/job_options.ts";
import { isDefault } from "../policy/fields.ts";
import { denied, mayDoEverything } from "../policy/policy.ts";
import type { HandlerParts } from "./parts.ts";

type Parts = Pick<HandlerParts, "supervisor" | "permissions" | "policy">;

/** The fields that may be given with `rerun`. */
const WITH_RERUN: ReadonlySet<string> = new Set(["rerun", "request_id", "name", "labels", "input", "terminal"]);

/**
 * Returns the request without a reference to another job. The policy then decides on it like on any other request. A server
 * without an engine runs every job itself, so it drops the wish for that: a rule need not name it.
 *
 * @throws {JobNotFoundError} when the other job does not exist, or the caller may not see it
 * @throws {PermissionDeniedError} when the job is another user's and the caller may not do everything
 * @throws {InvalidArgumentError} when fields do not go together
 */
export async function completeRequest(request: JobRequest, context: CallContext, parts: Parts): Promise<JobRequest> {
  const complete = await withoutSource(request, context, parts);
  return complete.engine === "local" && !parts.supervisor.hasEngine ? { ...complete, engine: "" } : complete;
}

async function withoutSource(
  request: JobRequest,
  context: CallContext,
  { supervisor, permissions, policy }: Parts,
): Promise<JobRequest> {
  const { like, rerun } = request;
  const source = rerun || like;
  if (source === "") return request;
  if (rerun !== "") {
    const other = Object.entries(request).find(([name, value]) => !WITH_RERUN.has(name) && !isDefault(value));
    if (other !== undefined) {
      throw new InvalidArgumentError(
        `Unexpected "${other[0]}" with "rerun": give only ${[...WITH_RERUN].slice(1).join(", ")}`,
      );
    }
  }
  const identity = await permissions.permit("Status", source, context);
  const isAll = mayDoEverything(policy(), identity);
  const { owner } = await supervisor.status(source, { cached: true });
  if (owner !== identity.user && !isAll) {
    throw denied({
      allowed: false,
      rule: "the environment of another user's job may have secrets: use a job of your own",
    });
  }
  const { command, args, options } = await supervisor.added(source);
  if (rerun === "") {
    // The author of a template may have put secrets in its environment.
    if (options.template !== undefined && !isAll) {
      throw denied({
        allowed: false,
        rule: "the environment of a template is not for other commands: use another job",
      });
    }
    return { ...request, like: "", env: { ...options.env, ...request.env }, cwd: request.cwd || (options.cwd ?? "") };
  }
  const labels = Object.keys(request.labels).length > 0 ? request.labels : { ...options.labels };
  const taken = requestFields(options);
  const input = request.input || (taken.input ?? false);
  const terminal = request.terminal ?? taken.terminal ?? null;
  const again = { ...request, ...taken, rerun: "", name: request.name, labels, input, terminal };
  if (options.template === undefined) return { ...again, command, args: [...args] };
  // The template is expanded again: it may have changed.
  const { name: template, parameters } = options.template;
  return { ...again, template, parameters: { ...parameters }, env: {}, cwd: "" };
}

/**
 * Returns the id of the job that a rerun made which is sent again; undefined when it made none. The job that it repeats
 * may be removed since, so the request cannot be made again.
 */
export async function repeatedRerun(
  { rerun, request_id: requestId, name, labels, input, terminal }: JobRequest,
  owner: string,
  supervisor: Pick<Supervisor, "requested" | "status">,
): Promise<string | undefined> {
  const id = rerun === "" || requestId === "" ? undefined : await supervisor.requested(owner, requestId);
  if (id === undefined) return undefined;
  const job = await supervisor.status(id, { cached: true });
  const given = Object.entries(labels);
  // Without labels the request has those of the job that it repeats.
  const hasLabels = given.length === 0 ||
    (given.length === Object.keys(job.labels).length && given.every(([key, value]) => job.labels[key] === value));
  const hasInput = (!input || job.input !== undefined) && (terminal === null || job.terminal === true);
  return job.rerunOf === rerun && (job.name ?? "") === name && hasLabels && hasInput ? id : undefined;
}
