/**
 * Hides further calls of an HTTP/2 session from all listeners.
 *
 * Reason: Deno creates the streams of one read, and emits their events one after another only then. Closing the session
 * in the first event does not stop the others. Test: `tests/rpc/compat/ignore_streams_test.ts`.
 */
import type { ServerHttp2Session } from "node:http2";

/** Ignores new streams of a session that is about to close. */
export function ignoreStreams(session: ServerHttp2Session): void {
  const { emit } = session;
  // The patch is on this session only: a check in each event of all sessions would slow down every call.
  session.emit = function (this: ServerHttp2Session, ...args: [string | symbol, ...unknown[]]): boolean {
    return args[0] === "stream" || emit.apply(this, args as Parameters<typeof emit>);
  } as typeof emit;
}
