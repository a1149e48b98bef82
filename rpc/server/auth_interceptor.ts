/** Checks every call of every service before its handler: the certificate, the policy, and the limits of the user. */
import { ServerInterceptingCall, type ServerInterceptor } from "@grpc/grpc-js";
import http2 from "node:http2";
import { setImmediate } from "node:timers";
import type { CallContext } from "../../proto/service.ts";
import { TeleportError } from "../../mod.ts";
import { passThrough, sessionOf, streamOf } from "../compat/grpc_call.ts";
import { certificateOf, peerOf } from "./peer_certificate.ts";
import type { CallLimits } from "./limits/call_limits.ts";
import type { CallOutcome, CallOutcomes } from "./limits/refused_calls.ts";
import { type InternalErrorReport, toServiceError } from "./status_error.ts";
import type { Trust } from "./trust.ts";

/** Admits a call by returning. Refuses it by throwing a TeleportError. */
export type Admit = (context: CallContext) => void;

// A call cannot be over before it is admitted, so this signal never aborts.
const { signal } = new AbortController();

/** The parts that decide about a call. */
export interface AuthInterceptorOptions {
  readonly admit: Admit;
  readonly trust: Trust;
  /** Receives calls whose certificate is no longer accepted. Not called for refusals by `admit`, which records them. */
  readonly onRefused: (context: CallContext, error: unknown) => void;
  readonly report: InternalErrorReport;
  readonly limits: CallLimits;
  /** Returns the error of all calls of a session. Undefined when the session may make calls. */
  readonly limitErrorOf: (session: object) => Error | undefined;
  readonly outcomes: CallOutcomes;
}

/** Returns an interceptor that stops a refused call before its handler runs. */
export function authInterceptor(
  { admit, trust, onRefused, report, limits, limitErrorOf, outcomes }: AuthInterceptorOptions,
): ServerInterceptor {
  return (method, call) => {
    let outcome: CallOutcome = "REFUSED";
    try {
      const certificate = certificateOf(call);
      // TLS accepts no connection without a certificate. This is a second check, in case TLS is set up wrongly.
      if (!certificate) {
        throw new TeleportError(
          "UNAUTHENTICATED",
          "No accepted certificate: give one that this server's CA has signed",
        );
      }
      try {
        trust.check(certificate);
      } catch (error) {
        onRefused({ signal, method: method.path, peer: peerOf(call), certificate }, error);
        throw error;
      }
      const session = sessionOf(call);
      const limitError = session && limitErrorOf(session);
      if (limitError) throw limitError;
      admit({ signal, method: method.path, peer: peerOf(call), certificate });
      outcome = "LIMITED";
      limits.admit(call, method, certificate);
      outcomes.record(streamOf(call), "ADMITTED");
    } catch (error) {
      outcomes.record(streamOf(call), outcome);
      const { code, details, metadata } = toServiceError(error, method.path, report);
      call.sendStatus({ code, details, metadata });
      endRequest(call);
      // This call is never started, so its handler never runs.
      return new ServerInterceptingCall(call, { start: () => {} });
    }
    return passThrough(call);
  };
}

/**
 * Closes the stream of a refused call that is still open after the arrived data was read. No limit counts the stream,
 * so a client whose requests never end could hold any number of them, 25 KB each. Source: RFC 9113, section 8.1.
 */
function endRequest(call: object): void {
  const stream = streamOf(call);
  setImmediate(() => {
    if (stream !== undefined && !stream.destroyed) stream.close(http2.constants.NGHTTP2_NO_ERROR);
  });
}
