/**
 * Keeps HTTP/2 sessions from being freed while nghttp2 uses them.
 *
 * In Deno 2.9.4 to 2.9.6 a `close()` or `destroy()` that runs while nghttp2 still reads from the connection frees the
 * session under it, and the process ends with a segmentation fault: https://github.com/denoland/deno/issues/36788. Frames
 * of the peer cause it: GOAWAY, which grpc-js answers with `close()`, and errors of the protocol, such as an
 * acknowledgement of a PING that nobody sent, which Deno itself answers with `destroy()`. So both wait for the next turn
 * of the event loop. Drop this file when a fixed Deno is pinned.
 */
import type { EventEmitter } from "node:events";
import type { Http2Session } from "node:http2";
import { setImmediate } from "node:timers";

const originals = new WeakMap<Http2Session, () => void>();

/** Ends a session at once. Only for a session that has read nothing yet. */
export function destroyNow(session: Http2Session): void {
  const destroy = originals.get(session);
  if (destroy === undefined) session.destroy();
  else destroy();
}

/** Makes a session's end always wait for the next turn. For servers. */
export function deferClosing(session: Http2Session): void {
  const { destroy } = session;
  originals.set(session, () => destroy.call(session));
  deferClosingWhen(session, () => true);
}

function deferClosingWhen(session: Http2Session, unsafe: () => boolean): void {
  const { close, destroy } = session;
  session.close = (closed) => {
    // A second close() in this turn must not be the first one then, which alone listens for the end.
    if (closed !== undefined && !session.closed && !session.destroyed) session.once("close", closed);
    if (unsafe()) setImmediate(() => close.call(session));
    else close.call(session);
  };
  session.destroy = (...args) => {
    if (unsafe()) setImmediate(() => destroy.apply(session, args));
    else destroy.apply(session, args);
  };
}

/**
 * Makes a session's end wait for the next turn while its socket is read. For clients: where it always waits, a client that
 * closes waits for its server for ever.
 *
 * @param socket The connection of the session, where it is known
 * @returns a function that makes it wait until the next turn
 */
export function deferClosingWhileReading(session: Http2Session, socket: EventEmitter | undefined): () => void {
  let reading = 0;
  const done = () => void (reading -= 1);
  deferClosingWhen(session, () => reading > 0);
  if (socket !== undefined) {
    const emit = socket.emit;
    socket.emit = function (this: EventEmitter, ...args: [string | symbol, ...unknown[]]): boolean {
      if (args[0] !== "data") return emit.apply(this, args);
      reading += 1;
      try {
        return emit.apply(this, args);
      } finally {
        done();
      }
    };
  }
  return () => {
    reading += 1;
    setImmediate(done);
  };
}
