/**
 * Makes the methods of HTTP/2 streams and sessions safe: they never throw.
 *
 * Reason: grpc-js calls `respond()` for a request of another content type or an unknown path. It does so also when the
 * stream was destroyed in the same read. Other calls of grpc-js come from timers and promises, where nothing catches an
 * error. Remove this file when grpc-js checks the stream itself. Tests: `safe_methods_test.ts` and
 * `unsafe_methods_test.ts` in `tests/rpc/compat/`.
 *
 * Source: https://github.com/grpc/grpc-node/blob/%40grpc/grpc-js%401.14.7/packages/grpc-js/src/server.ts
 * (_streamHandler)
 */
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import { errorsOf, guardCallback } from "./error_boundary.ts";

type AnyMethod = (...args: unknown[]) => unknown;

/** The methods, and the result of each for a stream or session that has ended. */
type Fallbacks<Subject> = { readonly [Name in keyof Subject]?: (subject: Subject) => unknown };

const itself = (subject: unknown) => subject;
const nothing = () => undefined;
const no = () => false;

const STREAM: Fallbacks<ServerHttp2Stream> = {
  respond: nothing,
  additionalHeaders: nothing,
  pushStream: nothing,
  respondWithFD: nothing,
  respondWithFile: nothing,
  sendTrailers: nothing,
  setTimeout: nothing,
  close: nothing,
  write: no,
  end: itself,
};

const SESSION: Fallbacks<ServerHttp2Session> = {
  ping: no,
  settings: nothing,
  goaway: nothing,
  setLocalWindowSize: nothing,
  setTimeout: nothing,
};

/** The methods that throw after the stream has ended. The peer decides when it ends, so this is not an error. */
const NEEDS_OPEN_STREAM: ReadonlySet<string> = new Set([
  "respond",
  "additionalHeaders",
  "pushStream",
  "respondWithFD",
  "respondWithFile",
  "sendTrailers",
]);

/** Makes the methods of all server streams safe, given one stream. Streams must be guarded emitters. */
export function makeStreamMethodsSafe(stream: ServerHttp2Stream): void {
  patchClass(
    stream,
    STREAM,
    "stream",
    (stream, name) => NEEDS_OPEN_STREAM.has(name) && (stream.destroyed || stream.closed),
  );
}

/** Makes the methods of all server sessions safe, given one session. Sessions must be guarded emitters. */
export function makeSessionMethodsSafe(session: ServerHttp2Session): void {
  patchClass(session, SESSION, "session", ({ destroyed }) => destroyed);
}

const patched = new WeakSet<object>();

function patchClass<Subject extends ServerHttp2Session | ServerHttp2Stream>(
  first: Subject,
  fallbacks: Fallbacks<Subject>,
  place: string,
  hasEnded: (subject: Subject, name: string) => boolean,
): void {
  const prototype = Object.getPrototypeOf(first) as Record<string, AnyMethod>;
  if (patched.has(prototype)) return;
  patched.add(prototype);
  for (const [name, fallback] of Object.entries(fallbacks) as [string, (subject: Subject) => unknown][]) {
    const method = prototype[name];
    // Another version of the runtime may lack the method.
    if (method === undefined) continue;
    const kind = `${place}.${name}()`;
    prototype[name] = function (this: Subject, ...args: unknown[]) {
      const errors = errorsOf(this);
      if (errors === undefined) return method.apply(this, args);
      if (hasEnded(this, name)) return fallback(this);
      // A callback is always the last argument.
      const callback = args.at(-1);
      if (typeof callback === "function") {
        args[args.length - 1] = guardCallback(callback as AnyMethod, `${kind} callback`, errors, this);
      }
      try {
        return method.apply(this, args);
      } catch (error) {
        errors.add(kind, error, this);
        return fallback(this);
      }
    };
  }
}
