/** What the calls mean: each is a few lines between the policy and the supervisor. */
import { JobNotFoundError, type JobStatus, type Supervisor } from "../mod.ts";
import type { CallContext, CallName, JobWorkerHandlers } from "../proto/service.ts";
import { identify, type Identity } from "./identity.ts";
import { beatsUntil, checkHeartbeat } from "./heartbeat.ts";
import {
  endMessage,
  eventMessage,
  filterOf,
  limitOf,
  listOptionsOf,
  outputMessage,
  selectionOf,
  statusMessage,
} from "./messages.ts";
import { admit, denied, scopeOf } from "./policy.ts";

/** As the definition says of `page_size`; more is cut to this (AIP-158). */
const MAX_PAGE_SIZE = 1_000;

/** The service: its handlers, and the decision on every call before one is reached. */
export interface Service {
  readonly handlers: JobWorkerHandlers;
  /**
   * Decides on a call by who makes it and which it is.
   *
   * @throws {UnauthenticatedError} when the certificate names no user
   * @throws {PermissionDeniedError} when no role of the user allows the call
   */
  admit(context: CallContext): void;
}

/** Makes the service of a supervisor's jobs. */
export function createService(supervisor: Supervisor): Service {
  /** Looks a job up for a call on it: what the caller may not see does not exist. */
  async function permit(call: CallName, id: string, context: CallContext): Promise<Identity> {
    const identity = identify(context.certificate);
    const scope = scopeOf(identity, call);
    if (scope === undefined) throw denied(identity, call);
    let status: JobStatus | undefined;
    try {
      status = await supervisor.status(id);
    } catch (error) {
      if (!(error instanceof JobNotFoundError)) throw error;
    }
    const own = status?.owner === identity.user;
    if (status === undefined || (!own && scopeOf(identity, "Status") !== "all")) throw new JobNotFoundError(id);
    if (!own && scope !== "all") throw denied(identity, call);
    return identity;
  }

  return {
    admit: (context) => admit(identify(context.certificate), context.method),
    handlers: {
      async Register(request, context) {
        const { user } = identify(context.certificate);
        const outputLimit = limitOf(request);
        const id = await supervisor.add(request.command, request.args, {
          env: request.env,
          labels: request.labels,
          owner: user,
          timeoutMs: request.timeout_ms,
          ...(outputLimit === undefined ? {} : { outputLimit }),
          ...(request.cwd === "" ? {} : { cwd: request.cwd }),
          ...(request.request_id === "" ? {} : { requestId: request.request_id }),
          ...(request.grace_ms === undefined ? {} : { graceMs: request.grace_ms }),
        });
        return statusMessage(await supervisor.status(id));
      },

      async *Start({ id }, context) {
        const { user } = await permit("Start", id, context);
        const statuses = supervisor.watchStatus(id, { signal: context.signal, skipInitial: true });
        await supervisor.start(id, { by: user });
        for await (const status of statuses) yield statusMessage(status);
      },

      async *StatusStream({ id }, context) {
        await permit("StatusStream", id, context);
        for await (const status of supervisor.watchStatus(id, { signal: context.signal })) yield statusMessage(status);
      },

      async Status({ id }, context) {
        await permit("Status", id, context);
        return statusMessage(await supervisor.status(id));
      },

      async Stop({ id, grace_ms }, context) {
        const { user } = await permit("Stop", id, context);
        const options = grace_ms === undefined ? {} : { graceMs: grace_ms };
        return statusMessage(await supervisor.stop(id, { by: user, ...options }));
      },

      async *GetOutput(request, context) {
        await permit("GetOutput", request.id, context);
        const heartbeatMs = checkHeartbeat(request.heartbeat_ms);
        await using pieces = supervisor.watchOutput(request.id, { ...selectionOf(request), signal: context.signal });
        let cursor = request.cursor;
        while (true) {
          const result = pieces.next();
          for await (const _ of beatsUntil(result, heartbeatMs, context.signal)) yield { cursor };
          const { done, value } = await result;
          if (done) {
            yield endMessage(value);
            return;
          }
          cursor = value.cursor;
          yield outputMessage(value);
        }
      },

      async Signal({ id, signal }, context) {
        const { user } = await permit("Signal", id, context);
        return statusMessage(await supervisor.signal(id, signal, { by: user }));
      },

      async List(request, context) {
        const identity = identify(context.certificate);
        const scope = scopeOf(identity, "List");
        if (scope === undefined) throw denied(identity, "List");
        if (scope === "own" && request.owner !== "" && request.owner !== identity.user) return {};
        const owner = scope === "own" ? identity.user : request.owner;
        const page = await supervisor.list({
          ...listOptionsOf(request),
          ...(owner === "" ? {} : { owner }),
          ...(request.page_size === 0 ? {} : { pageSize: Math.min(request.page_size, MAX_PAGE_SIZE) }),
        });
        return { jobs: page.jobs.map(statusMessage), next_page_token: page.nextPageToken };
      },

      async Remove({ id }, context) {
        await permit("Remove", id, context);
        await supervisor.remove(id);
        return {};
      },

      async *WatchJobs(request, context) {
        const identity = identify(context.certificate);
        const scope = scopeOf(identity, "WatchJobs");
        if (scope === undefined) throw denied(identity, "WatchJobs");
        const { ids, token } = request;
        // With a token they were there before; that they are gone is an event.
        if (token === "") await Promise.all(ids.map((id) => permit("WatchJobs", id, context)));
        const owner = scope === "own" ? identity.user : request.owner;
        const filter = { ...filterOf(request), ids, ...(owner === "" ? {} : { owner }) };
        const options = { signal: context.signal, ...(token === "" ? {} : { token }) };
        for await (const event of supervisor.watchJobs(filter, options)) {
          // Of others' jobs, one who sees only his own is told that there are none.
          if ("status" in event && request.owner !== "" && event.status.owner !== request.owner) continue;
          yield eventMessage(event);
        }
      },
    },
  };
}
