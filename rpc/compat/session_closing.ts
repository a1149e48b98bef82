/**
 * Keeps HTTP/2 sessions from being freed while nghttp2 uses them.
 *
 * Reason: https://github.com/denoland/deno/issues/36788, in Deno 2.9.4 to 2.9.6. A `close()` or `destroy()` while
 * nghttp2 reads from the connection frees the session too early. The process then ends with a segmentation fault.
 *
 * Frames of the peer cause it. grpc-js answers GOAWAY with `close()`. Deno answers protocol errors with `destroy()`,
 * such as an acknowledgement of a PING that was never sent. So both methods wait for the next turn of the event loop.
 *
 * Remove this file when Deno is fixed. Test: `tests/rpc/compat/http2_guard_test.ts`.
 */
import type { EventEmitter } from "node:events";
import type { Http2Session } from "node:http2";
import { setImmediate } from "node:timers";

const originals = new WeakMap<Http2Session, () => void>();

/** Destroys a session at once. Only for a session that has read nothing yet. */
export function destroyNow(session: Http2Session): void {
  const destroy = originals.get(session);
  if (destroy === undefined) session.destroy();
  else destroy();
}

/** Defers every close of a session to the next turn of the event loop. For servers. */
export function deferClosing(session: Http2Session): void {
  const { destroy } = session;
  originals.set(session, () => destroy.call(session));
  deferClosingWhen(session, () => true);
}

function deferClosingWhen(session: Http2Session, unsafe: () => boolean): void {
  const { close, destroy } = session;
  session.close = (closed) => {
    // Only the first close() listens for the end. A second one in this turn must not run before it.
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
 * Defers the close of a session while its socket is read. For clients: a client that always deferred would wait for its
 * server without end.
 *
 * @param socket the connection of the session; undefined when it is unknown
 * @returns a function that defers a close in the current turn
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
