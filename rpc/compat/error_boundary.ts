/**
 * Keeps what throws inside an event of the network from ending the process: the stream, session or socket of the event
 * ends instead. Node and Deno let such an error become an uncaught exception, and an `error` event without a listener too.
 */
import type { EventEmitter } from "node:events";
import { setImmediate } from "node:timers";

/** An error that was caught at the edge of the network. */
export interface NetworkError {
  /** The place and the event, such as `stream "data"`. Only of names in our code and in Node's, so there are few. */
  readonly kind: string;
  readonly error: unknown;
}

/** What ends when an event of it throws. */
interface Destroyable {
  destroy(): unknown;
}

/** Counts the errors of one server or one client, and reports the first of each kind. */
export class NetworkErrors {
  readonly #counts = new Map<string, number>();
  readonly #report: (error: NetworkError) => void;

  /** @param report receives the first error of each kind; what it throws is ignored, for nobody is left to be informed */
  constructor(report: (error: NetworkError) => void = () => {}) {
    this.#report = report;
  }

  /** The number of errors of each kind since the start. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** Counts an error, reports it when it is the first of its kind, and ends what it happened to. */
  add(kind: string, error: unknown, victim: Destroyable | undefined): void {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    // Not at once: the event may come from within nghttp2, which still uses what would be freed.
    if (victim !== undefined) setImmediate(() => this.#destroy(victim));
    if (count > 1) return;
    try {
      this.#report({ kind, error });
    } catch {
      // See the constructor.
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

/** Makes a callback that never throws. Gives undefined for none. */
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

/** What guarded emitters of one kind belong to. */
export interface Guard {
  /** Such as `stream`. */
  readonly place: string;
  readonly errors: NetworkErrors;
}

const GUARD = Symbol("guard");

type Guarded = EventEmitter & { [GUARD]?: Guard };

const guardedEmits = new WeakSet<EventEmitter["emit"]>();

/**
 * Makes every event of an emitter a boundary. Listeners after one that throws are skipped, but for `close`: each of them
 * releases something.
 *
 * The patch is one of the class: a closure for each stream took a sixth of the time of a `Status` call.
 */
export function guardEmitter(emitter: EventEmitter, guard: Guard): void {
  (emitter as Guarded)[GUARD] = guard;
  const prototype = Object.getPrototypeOf(emitter) as EventEmitter;
  const emit = prototype.emit;
  // Also where the class above was guarded, as net.Socket above tls.TLSSocket.
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

/** The errors of a guarded emitter. */
export function errorsOf(emitter: object): NetworkErrors | undefined {
  return (emitter as Guarded)[GUARD]?.errors;
}

function kindOf({ place }: Guard, event: string | symbol): string {
  return `${place} ${JSON.stringify(String(event))}`;
}

/** Emits the end of an emitter: all listeners are called, whatever one of them throws. */
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

/** The stream, session or socket that an event of a server is about, else the emitter. */
function victimOf(emitter: EventEmitter, args: unknown[]): Destroyable | undefined {
  // A server itself has no destroy(), and must not end for one of its clients.
  return args.find(isDestroyable) ?? (isDestroyable(emitter) ? emitter : undefined);
}

function isDestroyable(value: unknown): value is Destroyable {
  return typeof value === "object" && value !== null && "destroy" in value && typeof value.destroy === "function";
}
