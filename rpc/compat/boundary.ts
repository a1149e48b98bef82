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

/**
 * Makes every event of an emitter a boundary. Listeners after one that throws are skipped, but for `close`: each of them
 * releases something.
 *
 * @param before is called with each event before its listeners
 */
export function guardEmitter(
  emitter: EventEmitter,
  place: string,
  errors: NetworkErrors,
  before: (event: string | symbol, args: unknown[]) => void = () => {},
): void {
  const emit = emitter.emit;
  const kindOf = (event: string | symbol) => `${place} ${JSON.stringify(String(event))}`;
  emitter.emit = function (this: EventEmitter, ...args: [string | symbol, ...unknown[]]): boolean {
    if (args[0] === "close") return emitToEach(this, args, (error) => errors.add(kindOf("close"), error, undefined));
    try {
      before(args[0], args);
      return emit.apply(this, args);
    } catch (error) {
      errors.add(kindOf(args[0]), error, victimOf(emitter, args));
      return true;
    }
  };
}

/** Emits an event whose listeners are all called, whatever one of them throws. */
function emitToEach(
  emitter: EventEmitter,
  [event, ...args]: [string | symbol, ...unknown[]],
  failed: (error: unknown) => void,
): boolean {
  const listeners = emitter.rawListeners(event);
  for (const listener of listeners) {
    try {
      listener.apply(emitter, args);
    } catch (error) {
      failed(error);
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
