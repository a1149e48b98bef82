/** Reports what happens at connections and calls to the log and to the audit log. */
import type { Logger } from "../base/logger.ts";
import type { CallObserver } from "../rpc/server/call_observer.ts";
import type { ServeOptions } from "../rpc/server/server.ts";
import { type Audit, callerOf } from "../service/audit/audit.ts";
import { auditHandshakes } from "../service/audit/handshake_audit.ts";
import { callRefusalText } from "./call_limits.ts";
import { defectFields, defectText } from "./log/error_fields.ts";
import type { LimitedLog } from "./log/limited_log.ts";

/** Where the events go. */
export interface WireEventTargets {
  readonly log: Logger;
  /** Receives what strangers can cause any number of times. */
  readonly limitedLog: LimitedLog;
  readonly audit: Audit;
}

/** The callbacks of `serve()` that report events. */
export type WireEvents = Required<
  Pick<
    ServeOptions,
    "onLimit" | "onRefused" | "onHandshakeFailure" | "onConnectionRefused" | "onNetworkError" | "onInternalError"
  >
>;

/** Returns the callbacks. */
export function wireEvents({ log, limitedLog, audit }: WireEventTargets): WireEvents {
  return {
    onLimit: (cause, user) => limitedLog.warn(`LIMIT_${cause}`, callRefusalText(cause, user), { cause, user }),
    onRefused: (context, error) => {
      const call = context.method.slice(context.method.lastIndexOf("/") + 1);
      const rule = error instanceof Error ? error.message : "";
      audit.record({ event: "call", ...callerOf(context), call, allowed: false, rule, code: "UNAUTHENTICATED" });
    },
    onHandshakeFailure: auditHandshakes(audit),
    onConnectionRefused: ({ cause, text }) => limitedLog.warn(cause, text),
    onNetworkError: ({ kind, error }) =>
      log.warn(
        `Closed a connection after an error in ${kind}: ${
          defectText(error)
        } (later errors of this kind are not logged)`,
        { kind, ...defectFields(error) },
      ),
    onInternalError: (error, method) =>
      log.error(`Internal error in ${method}: ${defectText(error)}`, { method, ...defectFields(error) }),
  };
}

/** Logs the end of every call at the level `debug`. */
export function callLog(log: Logger): CallObserver {
  return {
    begun() {},
    ended(method, code, durationMs) {
      const duration_ms = Math.round(durationMs);
      log.debug(`Call ${method} ended with ${code} after ${duration_ms} ms`, { method, code, duration_ms });
    },
  };
}

/** Combines observers of calls. Returns undefined when there is none. */
export function observers(...given: readonly (CallObserver | undefined)[]): CallObserver | undefined {
  const all = given.filter((observer) => observer !== undefined);
  if (all.length <= 1) return all[0];
  return {
    begun(method) {
      for (const observer of all) observer.begun(method);
    },
    ended(method, code, durationMs) {
      for (const observer of all) observer.ended(method, code, durationMs);
    },
  };
}
