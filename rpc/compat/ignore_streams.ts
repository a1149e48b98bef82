/**
 * Lets no further call of an HTTP/2 session be seen. Deno makes the streams of everything that one read has brought, and
 * says so one after another only then: what the first of them is answered with does not stop the others.
 */
import type { ServerHttp2Session } from "node:http2";

/** Ignores the streams of a session that is about to be closed. */
export function ignoreStreams(session: ServerHttp2Session): void {
  const { emit } = session;
  // Of this session alone: a check for each event of all sessions would cost every call.
  session.emit = function (this: ServerHttp2Session, ...args: [string | symbol, ...unknown[]]): boolean {
    return args[0] === "stream" || emit.apply(this, args as Parameters<typeof emit>);
  } as typeof emit;
}
