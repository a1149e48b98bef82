/**
 * Lets the methods of HTTP/2 streams and sessions never throw.
 *
 * grpc-js answers a request of another content type or an unknown path with `respond()` even when the stream has been
 * destroyed in the same read, and others of its calls come from timers and promises, where nothing catches what they
 * throw: https://github.com/grpc/grpc-node/blob/%40grpc/grpc-js%401.14.7/packages/grpc-js/src/server.ts (_streamHandler).
 * Drop this file when grpc-js checks the stream itself.
 */
import type { Http2Session, Http2Stream, ServerHttp2Stream } from "node:http2";
import { guardCallback, type NetworkErrors } from "./boundary.ts";

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
  pause: itself,
  resume: itself,
  destroy: itself,
};

const SESSION: Fallbacks<Http2Session> = {
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

/** Makes the methods of a server's stream harmless. */
export function tameStream(stream: ServerHttp2Stream, errors: NetworkErrors): void {
  const gone = (name: string) => NEEDS_OPEN_STREAM.has(name) && (stream.destroyed || stream.closed);
  tame(stream, STREAM, "stream", errors, gone);
}

/** Makes the methods of a server's session harmless. */
export function tameSession(session: Http2Session, errors: NetworkErrors): void {
  tame(session, SESSION, "session", errors, () => session.destroyed);
}

function tame<Subject extends Http2Session | Http2Stream>(
  subject: Subject,
  fallbacks: Fallbacks<Subject>,
  place: string,
  errors: NetworkErrors,
  gone: (name: string) => boolean,
): void {
  for (const [name, fallback] of Object.entries(fallbacks) as [string, (subject: Subject) => unknown][]) {
    const methods = subject as unknown as Record<string, AnyMethod>;
    const method = methods[name];
    // Absent in some version of the runtime.
    if (method === undefined) continue;
    methods[name] = (...args) => {
      if (gone(name)) return fallback(subject);
      // The last argument is what is called when it is done.
      const callback = args.at(-1);
      if (typeof callback === "function") {
        args[args.length - 1] = guardCallback(callback as AnyMethod, `${place}.${name}() callback`, errors, subject);
      }
      try {
        return method.apply(subject, args);
      } catch (error) {
        errors.add(`${place}.${name}()`, error, name === "destroy" ? undefined : subject);
        return fallback(subject);
      }
    };
  }
}
