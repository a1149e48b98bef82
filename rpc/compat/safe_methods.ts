/**
 * Lets the methods of HTTP/2 streams and sessions never throw.
 *
 * grpc-js answers a request of another content type or an unknown path with `respond()` even when the stream has been
 * destroyed in the same read, and others of its calls come from timers and promises, where nothing catches what they
 * throw: https://github.com/grpc/grpc-node/blob/%40grpc/grpc-js%401.14.7/packages/grpc-js/src/server.ts (_streamHandler).
 * Drop this file when grpc-js checks the stream itself.
 */
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import { errorsOf, guardCallback } from "./error_boundary.ts";

type AnyMethod = (...args: unknown[]) => unknown;

/** The methods and what they give for a stream or session that is gone. */
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

/** The methods that throw when the stream has ended, which its peer decides, so that is no error. */
const NEEDS_OPEN_STREAM: ReadonlySet<string> = new Set([
  "respond",
  "additionalHeaders",
  "pushStream",
  "respondWithFD",
  "respondWithFile",
  "sendTrailers",
]);

/** Makes the methods of a server's streams harmless, given the first of them. They must be guarded emitters. */
export function makeStreamMethodsSafe(stream: ServerHttp2Stream): void {
  tameClass(
    stream,
    STREAM,
    "stream",
    (stream, name) => NEEDS_OPEN_STREAM.has(name) && (stream.destroyed || stream.closed),
  );
}

/** Makes the methods of a server's sessions harmless, given the first of them. They must be guarded emitters. */
export function makeSessionMethodsSafe(session: ServerHttp2Session): void {
  tameClass(session, SESSION, "session", ({ destroyed }) => destroyed);
}

const tamed = new WeakSet<object>();

function tameClass<Subject extends ServerHttp2Session | ServerHttp2Stream>(
  first: Subject,
  fallbacks: Fallbacks<Subject>,
  place: string,
  isGone: (subject: Subject, name: string) => boolean,
): void {
  const prototype = Object.getPrototypeOf(first) as Record<string, AnyMethod>;
  if (tamed.has(prototype)) return;
  tamed.add(prototype);
  for (const [name, fallback] of Object.entries(fallbacks) as [string, (subject: Subject) => unknown][]) {
    const method = prototype[name];
    // Absent in some version of the runtime.
    if (method === undefined) continue;
    const kind = `${place}.${name}()`;
    prototype[name] = function (this: Subject, ...args: unknown[]) {
      const errors = errorsOf(this);
      if (errors === undefined) return method.apply(this, args);
      if (isGone(this, name)) return fallback(this);
      // The last argument is what is called when it is done.
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
