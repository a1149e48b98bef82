/** What the calls mean: each is a few lines between the policy and the supervisor. */
import type { Supervisor } from "../../mod.ts";
import type { CallContext, JobWorkerHandlers, PeerCertificate } from "../../proto/service.ts";
import { identify } from "../policy/identity.ts";
import { firstOf, piecesOf } from "./input_pieces.ts";
import { beatsUntil, checkHeartbeat } from "./heartbeat.ts";
import {
  endMessage,
  eventMessage,
  filterOf,
  heartbeatEvent,
  listOptionsOf,
  outputMessage,
  selectionOf,
  statusMessage,
} from "../convert/messages.ts";
import { argsForRecord, type Audit, namesForRecord, parametersForRecord, textForRecord } from "../audit/audit.ts";
import { audited, CallAudit } from "../audit/audited.ts";
import { jobOptionsOf } from "../convert/job_options.ts";
import { canI, whoAmI } from "./introspection.ts";
import { permissions } from "./permissions.ts";
import { infoMessage, type ServerInfo } from "./server_info.ts";
import { decideMethod, decideRegister, denied, listScope, type Policy } from "../policy/policy.ts";
import { DEFAULT_POLICY } from "../policy/default.ts";
import { type Standing, standingOf } from "../policy/standing.ts";
import { expandTemplate } from "../policy/template.ts";
import { defined } from "../../base/defined.ts";

/** Of a command for the record: longer than any path that one would look up there. */
const MAX_COMMAND_CHARS = 1_000;

/** As many ids as the library watches at once. */
const MAX_IDS = 1_000;

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
  /** Who a certificate stands for in the limits of connections. */
  standingOf(certificate: PeerCertificate): Standing;
}

/** What a service may be given. */
export interface ServiceOptions {
  /** The policy that is in force; asked at every call. Default: the three roles. */
  readonly policy?: () => Policy;
  /** Where decisions are written down. Default: nowhere. */
  readonly audit?: Audit;
  /** Facts about the server for the call Info; read at every call. Default: none. */
  readonly info?: () => ServerInfo;
}

const NO_INFO: ServerInfo = {};

const NO_AUDIT: Audit = { record: () => {}, ready: () => Promise.resolve() };

/** Makes the service of a supervisor's jobs. */
export function createService(supervisor: Supervisor, options: ServiceOptions = {}): Service {
  const { policy = () => DEFAULT_POLICY, audit = NO_AUDIT, info = () => NO_INFO } = options;
  const notes = new CallAudit();

  const { admit, find, hideOthers, permit, permitAll, permitMany } = permissions(supervisor, { policy, audit, notes });

  return {
    admit,
    standingOf: (certificate) => standingOf(policy(), certificate),
    handlers: audited(
      {
        async Register(asked, context) {
          const identity = identify(context.certificate);
          const { user } = identity;
          notes.add(context, {
            command: asked.command.slice(0, MAX_COMMAND_CHARS),
            args: argsForRecord(asked.args),
            env: namesForRecord(asked.env),
            ...(asked.user === "" ? {} : { runAs: textForRecord(asked.user) }),
            ...(asked.group === "" ? {} : { runAsGroup: textForRecord(asked.group) }),
            ...(asked.template === "" ? {} : {
              template: textForRecord(asked.template),
              parameters: parametersForRecord(asked.parameters),
            }),
          });
          const decision = decideRegister(policy(), identity, asked);
          notes.add(context, decision);
          if (!decision.allowed) throw denied(decision);
          const request = expandTemplate(policy().templates, asked);
          notes.add(context, {
            command: request.command.slice(0, MAX_COMMAND_CHARS),
            args: argsForRecord(request.args),
          });
          const id = await supervisor.add(request.command, request.args, jobOptionsOf(request, user));
          notes.add(context, { job: id });
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
          for await (const status of supervisor.watchStatus(id, { signal: context.signal })) {
            yield statusMessage(status);
          }
        },

        async Status({ id }, context) {
          await permit("Status", id, context);
          return statusMessage(await supervisor.status(id, { usage: true }));
        },

        async Stop({ id, grace_ms }, context) {
          const { user } = await permit("Stop", id, context);
          const options = grace_ms === undefined ? {} : { graceMs: grace_ms };
          return statusMessage(await supervisor.stop(id, { by: user, ...options }));
        },

        async *GetOutput(request, context) {
          await permit("GetOutput", request.id, context);
          const heartbeatMs = checkHeartbeat(request.heartbeat_ms);
          // The first heartbeat comes at once: a follower can then resume although no byte has come.
          const options = { ...selectionOf(request), startCursor: heartbeatMs > 0, signal: context.signal };
          await using pieces = supervisor.watchOutput(request.id, options);
          let cursor = request.cursor;
          while (true) {
            const result = pieces.next();
            // Most ask for none, and a thousand are woken at once.
            if (heartbeatMs > 0) {
              for await (const _ of beatsUntil(result, heartbeatMs, context.signal)) yield { cursor };
            }
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
          notes.add(context, { signal: textForRecord(signal) });
          return statusMessage(await supervisor.signal(id, signal, { by: user }));
        },

        async Pause({ id }, context) {
          const { user } = await permit("Pause", id, context);
          return statusMessage(await supervisor.pause(id, { by: user }));
        },

        async Resume({ id }, context) {
          await permit("Resume", id, context);
          return statusMessage(await supervisor.resume(id));
        },

        async Input(requests, context) {
          const messages = requests[Symbol.asyncIterator]();
          const first = await firstOf(messages);
          const { id, writer, offset } = first;
          await permit("Input", id, context);
          const pieces = piecesOf(first, messages, () => notes.begin(context));
          const { bytes, taken, closed } = await supervisor.writeInput(id, pieces, {
            signal: context.signal,
            ...(writer === "" ? {} : { writer }),
            ...defined({ offset }),
          });
          return { input_bytes: bytes, taken_bytes: taken, input_closed: closed };
        },

        async List(request, context) {
          const { owner: own, shows } = permitMany("List", context);
          if (own !== undefined && request.owner !== "" && request.owner !== own) return {};
          const owner = own ?? request.owner;
          const page = await supervisor.list({
            ...listOptionsOf(request),
            ...(owner === "" ? {} : { owner }),
            ...(request.page_size === 0 ? {} : { pageSize: Math.min(request.page_size, MAX_PAGE_SIZE) }),
          });
          // What is left out makes a page shorter, which it may be (AIP-158).
          const jobs = shows === undefined ? page.jobs : page.jobs.filter(shows);
          return { jobs: jobs.map(statusMessage), next_page_token: page.nextPageToken };
        },

        async Remove({ id }, context) {
          await permit("Remove", id, context);
          await supervisor.remove(id);
          return {};
        },

        async *WatchJobs(request, context) {
          const { owner: own, shows } = permitMany("WatchJobs", context);
          const { ids, token } = request;
          // With a token they were there before; that they are gone is an event.
          // Too many are refused below, and not looked up each before that.
          const looked = ids.slice(0, MAX_IDS + 1);
          if (token === "") await permitAll("WatchJobs", looked, context);
          const shown = token === "" ? looked : await hideOthers(looked, context);
          const owner = own ?? request.owner;
          const filter = { ...filterOf(request), ids: shown, ...(owner === "" ? {} : { owner }) };
          const options = { signal: context.signal, ...(token === "" ? {} : { token }) };
          const heartbeatMs = checkHeartbeat(request.heartbeat_ms);
          // After a token nothing may come for long: the caller learns at once that it is served again.
          if (heartbeatMs > 0 && token !== "") yield heartbeatEvent(token);
          await using events = supervisor.watchJobs(filter, options);
          let last = token;
          while (true) {
            const result = events.next();
            if (heartbeatMs > 0) {
              for await (const _ of beatsUntil(result, heartbeatMs, context.signal)) yield heartbeatEvent(last);
            }
            const { done, value: event } = await result;
            if (done) return;
            last = event.token;
            // Of others' jobs, one who sees only his own is told that there are none.
            if ("status" in event && request.owner !== "" && event.status.owner !== request.owner) continue;
            if (shows !== undefined && "status" in event && !shows(event.status)) continue;
            yield eventMessage(event);
          }
        },

        // deno-lint-ignore require-await -- asynchronous by contract, like every call
        async WhoAmI(_request, context) {
          const identity = identify(context.certificate);
          notes.add(context, decideMethod(policy(), identity, context.method));
          return whoAmI(policy(), identity, context);
        },

        async CanI(request, context) {
          const identity = identify(context.certificate);
          notes.add(context, {
            ...decideMethod(policy(), identity, context.method),
            text: textForRecord(request.call),
          });
          return await canI(policy(), identity, request, find);
        },

        async Info(_request, context) {
          const identity = identify(context.certificate);
          notes.add(context, decideMethod(policy(), identity, context.method));
          const { owner, shows } = listScope(policy(), identity, "List");
          const seesAll = owner === undefined && shows === undefined;
          return await infoMessage(supervisor, info(), { seesAll });
        },
      },
      notes,
      audit,
    ),
  };
}
