/**
 * Stops errors that are thrown inside network events. The stream, session or socket of the event ends instead of the
 * process.
 *
 * Reason: Node and Deno turn such an error into an uncaught exception, and also an `error` event without a listener.
 * Tests: `error_boundary_test.ts` and `http2_guard_test.ts` in `tests/rpc/compat/`.
 */
import type { EventEmitter } from "node:events";
import { setImmediate } from "node:timers";

/** An error that was caught at a network event. */
export interface NetworkError {
  /** The object and the event, such as `stream "data"`. The number of kinds is small: no part comes from a peer. */
  readonly kind: string;
  readonly error: unknown;
}

/** An object that ends when one of its events throws. */
interface Destroyable {
  destroy(): unknown;
}

/** Counts the network errors of one server or one client, and reports the first error of each kind. */
export class NetworkErrors {
  readonly #counts = new Map<string, number>();
  readonly #report: (error: NetworkError) => void;

  /** @param report receives the first error of each kind; errors that it throws are ignored */
  constructor(report: (error: NetworkError) => void = () => {}) {
    this.#report = report;
  }

  /** The number of errors of each kind since the start. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** Counts an error, reports the first of its kind, and destroys the object that failed. */
  add(kind: string, error: unknown, victim: Destroyable | undefined): void {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    // nghttp2 may have emitted the event, and still uses the memory that destroy() frees.
    if (victim !== undefined) setImmediate(() => this.#destroy(victim));
    if (count > 1) return;
    try {
      this.#report({ kind, error });
    } catch {
      // No one is left to notify. See the constructor.
    }
  }

  #destroy(victim: Destroyable): void {
    try {
      victim.destroy();
    } catch (error) {
      this.add("destroy", error, undefined);
    }
  }
}

/** Returns a callback that never throws. Returns undefined when there is no callback. */
export function guardCallback<Args extends unknown[]>(
  callback: ((...args: Args) => void) | undefined,
  kind: string,
  errors: NetworkErrors,
  victim?: Destroyable,
): ((...args: Args) => void) | undefined {
  if (typeof callback !== "function") return callback;
  return function (this: unknown, ...args: Args) {
    try {
      callback.apply(this, args);
    } catch (error) {
      errors.add(kind, error, victim);
    }
  };
}

/** The owner of guarded emitters of one kind. */
export interface Guard {
  /** The kind of emitter, such as `stream`. */
  readonly place: string;
  readonly errors: NetworkErrors;
}

const GUARD = Symbol("guard");

type Guarded = EventEmitter & { [GUARD]?: Guard };

const guardedEmits = new WeakSet<EventEmitter["emit"]>();

/**
 * Catches the errors of every event of an emitter. After a listener throws, the later ones are skipped. All listeners
 * of `close` run, because each of them releases something.
 *
 * The patch is on the class. A closure for each stream cost a sixth of the time of a `Status` call.
 */
export function guardEmitter(emitter: EventEmitter, guard: Guard): void {
  (emitter as Guarded)[GUARD] = guard;
  const prototype = Object.getPrototypeOf(emitter) as EventEmitter;
  const emit = prototype.emit;
  // A parent class may carry the patch: tls.TLSSocket inherits from net.Socket.
  if (guardedEmits.has(emit)) return;
  prototype.emit = function (this: Guarded, event: string | symbol): boolean {
    const guard = this[GUARD];
    if (guard === undefined) return emit.apply(this, arguments as unknown as [string]);
    if (event === "close") return emitToEach(this, [...arguments].slice(1), guard);
    try {
      return emit.apply(this, arguments as unknown as [string]);
    } catch (error) {
      guard.errors.add(kindOf(guard, event), error, victimOf(this, [...arguments].slice(1)));
      return true;
    }
  };
  guardedEmits.add(prototype.emit);
}

/** Returns the errors of a guarded emitter. Undefined for other objects. */
export function errorsOf(emitter: object): NetworkErrors | undefined {
  return (emitter as Guarded)[GUARD]?.errors;
}

function kindOf({ place }: Guard, event: string | symbol): string {
  return `${place} ${JSON.stringify(String(event))}`;
}

/** Emits `close`: every listener runs, whatever another one throws. */
function emitToEach(emitter: EventEmitter, args: unknown[], guard: Guard): boolean {
  const listeners = emitter.rawListeners("close");
  for (const listener of listeners) {
    try {
      listener.apply(emitter, args);
    } catch (error) {
      guard.errors.add(kindOf(guard, "close"), error, undefined);
    }
  }
  return listeners.length > 0;
}

/** Returns the stream, session or socket that an event is about. Without one, returns the emitter. */
function victimOf(emitter: EventEmitter, args: unknown[]): Destroyable | undefined {
  // A server has no destroy(), and must not end because of one client.
  return args.find(isDestroyable) ?? (isDestroyable(emitter) ? emitter : undefined);
}

function isDestroyable(value: unknown): value is Destroyable {
  return typeof value === "object" && value !== null && "destroy" in value && typeof value.destroy === "function";
}
