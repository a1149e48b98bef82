/**
 * Widens the receive windows of a client's connection while its calls are read.
 *
 * Reason: a server sends a whole window to a client that has stopped reading, which costs the server memory. With a
 * narrow window, client and server wait for each other more often. grpc-js never changes the width. It hides the session
 * of a call, and the moment at which a message is read. Without the private fields the windows stay narrow.
 * Test: `tests/rpc/compat/reader_window_test.ts`.
 *
 * Source: @grpc/grpc-js/build/src/subchannel-call.js, transport.js
 */
import { Http2SubchannelCall } from "@grpc/grpc-js/build/src/subchannel-call.js";
import type { ClientHttp2Session } from "node:http2";

/** The width for a reader. */
const WIDE_BYTES = 4 * 1024 * 1024;

/**
 * The bytes of one call that were read before its window grows. grpc-js reads 16 messages ahead of its reader, each of
 * 128 KiB. So a reader of one message has not read as many.
 */
const MIN_READ_BYTES = 8 * 1024 * 1024;

/** The most open calls of a connection with wide windows. One of them may stall while another is read. */
const MAX_CALLS = 4;

const READ = Symbol("bytes read");
const NARROW = Symbol("narrow window");

/** A session. It has the width that it began with while it is wide. */
type Session = ClientHttp2Session & { [NARROW]?: number | undefined };

/** A call on its connection. */
interface Call {
  readonly http2Stream?: { readonly session?: Session };
  readonly transport?: { readonly activeCalls?: ReadonlySet<unknown> };
  [READ]?: number;
  /** Passes a message to the reader, which has asked for it. */
  push(message: Uint8Array): void;
}

/** Widens the windows of all clients of this process whose calls are made later. */
export function widenForReaders(): void {
  const prototype = Http2SubchannelCall?.prototype as unknown as Call | undefined;
  if (typeof prototype?.push !== "function") return;
  const { push } = prototype;
  prototype.push = function (this: Call, message) {
    this[READ] = (this[READ] ?? 0) + message.length;
    adjust(this, this[READ]);
    push.call(this, message);
  };
}

/** Sets the windows of a connection after one of its calls was read. */
function adjust({ http2Stream, transport }: Call, readBytes: number): void {
  const session = http2Stream?.session;
  if (session === undefined) return;
  const narrow = session[NARROW];
  const hasFewCalls = (transport?.activeCalls?.size ?? Infinity) <= MAX_CALLS;
  if (narrow === undefined ? !hasFewCalls || readBytes < MIN_READ_BYTES : hasFewCalls) return;
  // A peer may answer settings late, and each change is one more.
  if (session.destroyed || session.pendingSettingsAck) return;
  session[NARROW] = narrow === undefined ? session.localSettings.initialWindowSize : undefined;
  const bytes = narrow ?? WIDE_BYTES;
  // These take effect for open calls too.
  session.settings({ initialWindowSize: bytes });
  session.setLocalWindowSize(bytes);
}
