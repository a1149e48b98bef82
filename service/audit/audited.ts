/** Records every call once: with its answer, when its stream or its work begins, or when it fails. */
import { TeleportError } from "../../mod.ts";
import type { CallContext, CallName, JobWorkerHandlers } from "../../proto/service.ts";
import type { JobWorkerCalls } from "../../proto/teleport/v1/job_worker.ts";
import { CALL_KINDS } from "../policy/policy.ts";
import { type Audit, type AuditEntry, callerOf } from "./audit.ts";
import { ALLOWED_WHEN_AUDIT_FAILS, type CallAudit } from "./call_audit.ts";
import { textForEntry } from "./excerpts.ts";

type Handler = (request: object, context: CallContext) => Promise<object> | AsyncIterable<object>;

/** Wraps handlers so that each call is recorded once. A call that cannot be recorded changes nothing. */
export function audited(handlers: JobWorkerHandlers, callAudit: CallAudit, audit: Audit): JobWorkerHandlers {
  const wrapped = Object.entries(handlers).map(([name, handler]) => [
    name,
    wrap(name as CallName, handler.bind(handlers) as Handler, callAudit, audit),
  ]);
  return Object.fromEntries(wrapped) as JobWorkerHandlers;
}

function wrap(call: CallName, handler: Handler, callAudit: CallAudit, audit: Audit): Handler {
  const changes = CALL_KINDS[call] === "change";
  const waits = changes && !ALLOWED_WHEN_AUDIT_FAILS.has(call);
  const record = (context: CallContext, code: string) => {
    const entry = callAudit.entryOf(context);
    const allowed = entry.allowed ?? code === "OK";
    // Most calls read. A write for each would cost more than everything else here.
    audit.record({ event: "call", ...callerOf(context), call, ...entry, allowed, code }, { soon: changes || !allowed });
  };
  const recordOnce = (context: CallContext) => {
    let isRecorded = false;
    return (code: string) => {
      if (!isRecorded) record(context, code);
      isRecorded = true;
    };
  };
  const jobOf = (request: object): Partial<AuditEntry> =>
    "id" in request && typeof request.id === "string" ? { job: textForEntry(request.id) } : {};

  async function one(answer: () => Promise<object>, request: object, context: CallContext): Promise<object> {
    callAudit.add(context, jobOf(request));
    const once = recordOnce(context);
    callAudit.onBegin(context, () => once("OK"));
    let code = "OK";
    try {
      if (waits) await audit.ready();
      return await answer();
    } catch (error) {
      code = codeOf(error, context);
      throw error;
    } finally {
      once(code);
    }
  }

  /** Records a stream with its first message. Later messages pass without a check, because a stream can last for days. */
  function many(answers: AsyncIterable<object>, request: object, context: CallContext): AsyncIterable<object> {
    return {
      [Symbol.asyncIterator]() {
        const iterator = answers[Symbol.asyncIterator]();
        let once: ((code: string) => void) | undefined;
        let isRecorded = false;
        const begin = async () => {
          if (once === undefined) {
            callAudit.add(context, jobOf(request));
            once = recordOnce(context);
            if (waits) await audit.ready();
          }
          const step = await iterator.next();
          once("OK");
          isRecorded = true;
          return step;
        };
        return {
          next: () =>
            isRecorded ? iterator.next() : begin().catch((error) => {
              once?.(codeOf(error, context));
              throw error;
            }),
          async return() {
            const left = await iterator.return?.();
            // The caller left before the first message: the job wrote nothing until then.
            once?.("OK");
            return left ?? { done: true, value: undefined };
          },
        };
      },
    };
  }

  return (request, bare) => {
    const context = callAudit.on(bare);
    // A generator does nothing before its first next(). An async function begins when it is called.
    if (Object.hasOwn(STREAMS, call)) return many(handler(request, context) as AsyncIterable<object>, request, context);
    return one(() => handler(request, context) as Promise<object>, request, context);
  };
}

type StreamName = {
  [Name in CallName]: JobWorkerCalls[Name] extends { stream: true } ? Name : never;
}[CallName];

/** The calls that stream their answers. A missing call does not compile. */
const STREAMS: Readonly<Record<StreamName, true>> = {
  Start: true,
  StatusStream: true,
  GetOutput: true,
  WatchJobs: true,
};

function codeOf(error: unknown, { signal }: CallContext): string {
  if (error instanceof TeleportError) return error.code;
  return signal.aborted && error === signal.reason ? "CANCELLED" : "INTERNAL";
}
