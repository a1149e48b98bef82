/** The audit entry of a call while the call runs, and the calls that do not wait for their entry. */
import type { CallContext, CallName } from "../../proto/service.ts";
import type { AuditEntry } from "./audit.ts";

/**
 * Calls that change something and are made also while entries cannot be written. They end jobs and free the disk, so they
 * can help a full disk. Their entries wait in memory until there is room.
 */
export const ALLOWED_WHEN_AUDIT_FAILS: ReadonlySet<CallName> = new Set<CallName>(["Stop", "Remove"]);

/** The state of one call. */
interface CallState {
  entry: Partial<AuditEntry>;
  begin: (() => void) | undefined;
}

/** Collects the fields of a call's entry. Handlers add what they learn. */
export class CallAudit {
  /** The key of the state in a context. A map with an entry for each call costs the collector more than the call itself. */
  readonly #key = Symbol("call audit");

  /** Returns a context that can carry the state of a call. */
  on(context: CallContext): CallContext {
    return { ...context, [this.#key]: { entry: {}, begin: undefined } satisfies CallState } as CallContext;
  }

  /** Adds fields to the entry of a call. */
  add(context: CallContext, fields: Partial<AuditEntry>): void {
    const state = this.#stateOf(context);
    if (state !== undefined) Object.assign(state.entry, fields);
  }

  /** Reports that a call is allowed and begins work of unknown length. Its entry is recorded now and not at the end. */
  begin(context: CallContext): void {
    this.#stateOf(context)?.begin?.();
  }

  /** Sets the function that {@linkcode begin} calls. */
  onBegin(context: CallContext, act: () => void): void {
    const state = this.#stateOf(context);
    if (state !== undefined) state.begin = act;
  }

  /** Returns the fields so far. */
  entryOf(context: CallContext): Partial<AuditEntry> {
    return this.#stateOf(context)?.entry ?? {};
  }

  #stateOf(context: CallContext): CallState | undefined {
    return (context as CallContext & { readonly [key: symbol]: CallState | undefined })[this.#key];
  }
}
