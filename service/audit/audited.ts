/** Has every call written down, once: when it was answered, when its stream or its work began, or when it failed. */
import { TeleportError } from "../../mod.ts";
import type { CallContext, CallName, JobWorkerHandlers } from "../../proto/service.ts";
import type { JobWorkerCalls } from "../../proto/teleport/v1/job_worker.ts";
import { type Audit, type AuditEntry, callerOf, textForRecord } from "./audit.ts";
import { CALL_KINDS } from "../policy/policy.ts";

/** What is known of one call so far. */
interface CallState {
  entry: Partial<AuditEntry>;
  begin: (() => void) | undefined;
}

/** What handlers tell of a call while they work on it. */
export class CallAudit {
  /** Where a context carries them: a map with a place for each call costs the collector more than the call itself. */
  readonly #place = Symbol("notes");

  /** A call's context, with room for notes. */
  on(context: CallContext): CallContext {
    return { ...context, [this.#place]: { entry: {}, begin: undefined } satisfies CallState } as CallContext;
  }

  /** Adds to what is written down of a call. */
  add(context: CallContext, note: Partial<AuditEntry>): void {
    const taken = this.#of(context);
    if (taken !== undefined) Object.assign(taken.entry, note);
  }

  /** The call is allowed and begins a work of unknown length: it is written down now and not at its end. */
  begin(context: CallContext): void {
    this.#of(context)?.begin?.();
  }

  /** Says what is to happen when the call begins. */
  onBegin(context: CallContext, act: () => void): void {
    const taken = this.#of(context);
    if (taken !== undefined) taken.begin = act;
  }

  /** What is to be written down of a call. */
  of(context: CallContext): Partial<AuditEntry> {
    return this.#of(context)?.entry ?? {};
  }

  #of(context: CallContext): CallState | undefined {
    return (context as CallContext & { readonly [place: symbol]: CallState | undefined })[this.#place];
  }
}

/**
 * What ends jobs and frees the disk is done also while nothing can be written down, or a full disk could be helped by
 * nobody. It is written down from memory once there is room.
 */
const ALLOWED_WHEN_AUDIT_FAILS: ReadonlySet<CallName> = new Set<CallName>(["Stop", "Remove"]);

type Handler = (request: object, context: CallContext) => Promise<object> | AsyncIterable<object>;

/** Wraps handlers so that each call is written down, and none changes anything that cannot be. */
export function audited(handlers: JobWorkerHandlers, notes: CallAudit, audit: Audit): JobWorkerHandlers {
  const wrapped = Object.entries(handlers).map(([name, handler]) => [
    name,
    wrap(name as CallName, handler.bind(handlers) as Handler, notes, audit),
  ]);
  return Object.fromEntries(wrapped) as JobWorkerHandlers;
}

function wrap(call: CallName, handler: Handler, notes: CallAudit, audit: Audit): Handler {
  const changes = CALL_KINDS[call] === "change";
  const waits = changes && !ALLOWED_WHEN_AUDIT_FAILS.has(call);
  const record = (context: CallContext, code: string) => {
    const note = notes.of(context);
    const allowed = note.allowed ?? code === "OK";
    // Reading is what most calls do: a write for each would cost them more than all else here.
    audit.record({ event: "call", ...callerOf(context), call, ...note, allowed, code }, { soon: changes || !allowed });
  };
  const recordOnce = (context: CallContext) => {
    let isRecorded = false;
    return (code: string) => {
      if (!isRecorded) record(context, code);
      isRecorded = true;
    };
  };
  const jobOf = (request: object): Partial<AuditEntry> =>
    "id" in request && typeof request.id === "string" ? { job: textForRecord(request.id) } : {};

  async function one(answer: () => Promise<object>, request: object, context: CallContext): Promise<object> {
    notes.add(context, jobOf(request));
    const once = recordOnce(context);
    notes.onBegin(context, () => once("OK"));
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

  /** Stands before a stream until it is written down, and then out of its way: it may go on for days, a line at a time. */
  function many(answers: AsyncIterable<object>, request: object, context: CallContext): AsyncIterable<object> {
    return {
      [Symbol.asyncIterator]() {
        const iterator = answers[Symbol.asyncIterator]();
        let once: ((code: string) => void) | undefined;
        let isRecorded = false;
        const begin = async () => {
          if (once === undefined) {
            notes.add(context, jobOf(request));
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
            // Left before there was anything to say: the job wrote nothing while the caller was there.
            once?.("OK");
            return left ?? { done: true, value: undefined };
          },
        };
      },
    };
  }

  return (request, bare) => {
    const context = notes.on(bare);
    // A generator does nothing before it is asked; an async function does, and so is called when it may.
    if (Object.hasOwn(STREAMS, call)) return many(handler(request, context) as AsyncIterable<object>, request, context);
    return one(() => handler(request, context) as Promise<object>, request, context);
  };
}

type StreamName = {
  [Name in CallName]: JobWorkerCalls[Name] extends { stream: true } ? Name : never;
}[CallName];

/** All of them, or it does not compile. */
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
