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
      code = codeOf(error, context.signal);
      throw error;
    } finally {
      once(code);
    }
  }

  function many(answers: AsyncIterable<object>, request: object, context: CallContext): AsyncIterable<object> {
    const begin = async () => {
      callAudit.add(context, jobOf(request));
      if (waits) await audit.ready();
    };
    return new AuditedStream(answers, begin, (code) => record(context, code), context.signal);
  }

  return (request, bare) => {
    const context = callAudit.on(bare);
    // A generator does nothing before its first next(). An async function begins when it is called.
    if (Object.hasOwn(STREAMS, call)) return many(handler(request, context) as AsyncIterable<object>, request, context);
    return one(() => handler(request, context) as Promise<object>, request, context);
  };
}

/** Records a stream with its first message. Later messages pass without a check, because a stream can last for days. */
class AuditedStream implements AsyncIterableIterator<object> {
  readonly #answers: AsyncIterator<object>;
  readonly #signal: AbortSignal;
  #begin: (() => Promise<void>) | undefined;
  /** Undefined once the call is recorded. */
  #record: ((code: string) => void) | undefined;

  constructor(
    answers: AsyncIterable<object>,
    begin: () => Promise<void>,
    record: (code: string) => void,
    signal: AbortSignal,
  ) {
    this.#answers = answers[Symbol.asyncIterator]();
    this.#begin = begin;
    this.#record = record;
    this.#signal = signal;
  }

  next(): Promise<IteratorResult<object>> {
    return this.#record === undefined ? this.#answers.next() : this.#first();
  }

  async #first(): Promise<IteratorResult<object>> {
    const begin = this.#begin;
    this.#begin = undefined;
    try {
      await begin?.();
      const step = await this.#answers.next();
      this.#recordOnce("OK");
      return step;
    } catch (error) {
      this.#recordOnce(codeOf(error, this.#signal));
      throw error;
    }
  }

  async return(): Promise<IteratorResult<object>> {
    const left = await this.#answers.return?.();
    // A call that never began is not recorded. Otherwise the caller left before the first message: nothing was written.
    if (this.#begin === undefined) this.#recordOnce("OK");
    return left ?? { done: true, value: undefined };
  }

  #recordOnce(code: string): void {
    this.#record?.(code);
    this.#record = undefined;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
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

function codeOf(error: unknown, signal: AbortSignal): string {
  if (error instanceof TeleportError) return error.code;
  return signal.aborted && error === signal.reason ? "CANCELLED" : "INTERNAL";
}
