/** Creates the service: one handler for each call, in a file with the name of the call. */
import type { Supervisor } from "../../mod.ts";
import type { CallContext, JobWorkerHandlers, PeerCertificate } from "../../proto/service.ts";
import type { Audit } from "../audit/audit.ts";
import { audited } from "../audit/audited.ts";
import { CallAudit } from "../audit/call_audit.ts";
import { type ConnectionOwner, ownerOf } from "../policy/connection_owner.ts";
import { DEFAULT_POLICY } from "../policy/default.ts";
import type { Policy } from "../policy/policy.ts";
import { canIHandler } from "./can_i.ts";
import { getOutputHandler } from "./get_output.ts";
import { infoHandler } from "./info.ts";
import { inputHandler } from "./input.ts";
import { listHandler } from "./list.ts";
import type { HandlerParts } from "./parts.ts";
import { pauseHandler } from "./pause.ts";
import { createPermissions } from "./permissions.ts";
import { registerHandler } from "./register.ts";
import { removeHandler } from "./remove.ts";
import { resizeHandler } from "./resize.ts";
import { resumeHandler } from "./resume.ts";
import type { ServerInfo } from "./server_info.ts";
import { signalHandler } from "./signal.ts";
import { startHandler } from "./start.ts";
import { statusHandler } from "./status.ts";
import { statusStreamHandler } from "./status_stream.ts";
import { stopHandler } from "./stop.ts";
import { watchJobsHandler } from "./watch_jobs.ts";
import { whoAmIHandler } from "./who_am_i.ts";

/** The service: its handlers, and the decision on every call before a handler is reached. */
export interface Service {
  readonly handlers: JobWorkerHandlers;
  /**
   * Decides on a call by its caller and its method.
   *
   * @throws {UnauthenticatedError} when the certificate names no user
   * @throws {PermissionDeniedError} when no role of the user allows the call
   */
  admit(context: CallContext): void;
  /** Returns the owner of a connection with this certificate. */
  ownerOf(certificate: PeerCertificate): ConnectionOwner;
}

/** Options of {@linkcode createService}. */
export interface ServiceOptions {
  /** Returns the policy that is in force. Called for every call. Default: the three roles. */
  readonly policy?: () => Policy;
  /** Receives the audit entries. Default: nothing does. */
  readonly audit?: Audit;
  /** Returns facts about the server for the call Info. Called for every such call. Default: none. */
  readonly info?: () => ServerInfo;
}

const NO_INFO: ServerInfo = {};

const NO_AUDIT: Audit = { record: () => {}, ready: () => Promise.resolve() };

/**
 * Creates the service of a supervisor's jobs.
 *
 * @example
 * ```ts
 * import { Supervisor } from "../../mod.ts";
 * import { createService } from "./service.ts";
 *
 * await using supervisor = new Supervisor({});
 * const { handlers } = createService(supervisor);
 * ```
 */
export function createService(supervisor: Supervisor, options: ServiceOptions = {}): Service {
  const { policy = () => DEFAULT_POLICY, audit = NO_AUDIT, info = () => NO_INFO } = options;
  const callAudit = new CallAudit();
  const permissions = createPermissions(supervisor, { policy, audit, callAudit });
  const parts: HandlerParts = { supervisor, permissions, callAudit, policy, info };
  const handlers: JobWorkerHandlers = {
    Register: registerHandler(parts),
    Start: startHandler(parts),
    StatusStream: statusStreamHandler(parts),
    Status: statusHandler(parts),
    Stop: stopHandler(parts),
    GetOutput: getOutputHandler(parts),
    Signal: signalHandler(parts),
    Pause: pauseHandler(parts),
    Resume: resumeHandler(parts),
    Resize: resizeHandler(parts),
    Input: inputHandler(parts),
    List: listHandler(parts),
    Remove: removeHandler(parts),
    WatchJobs: watchJobsHandler(parts),
    WhoAmI: whoAmIHandler(parts),
    CanI: canIHandler(parts),
    Info: infoHandler(parts),
  };
  return {
    admit: permissions.admit,
    ownerOf: (certificate) => ownerOf(policy(), certificate),
    handlers: audited(handlers, callAudit, audit),
  };
}
