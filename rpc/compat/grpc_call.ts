/**
 * Reads and sets private fields of server calls of grpc-js 1.14.
 *
 * Reason: the public interface lacks the HTTP/2 stream of a call, a message limit for each method, and the bytes of an
 * incomplete request. It also copies each message. Without the fields the server works with the limits and copies of
 * grpc-js alone.
 * Test: `tests/rpc/compat/grpc_call_test.ts`, which fails when the fields have moved.
 *
 * Source: @grpc/grpc-js/build/src/server-interceptors.js, stream-decoder.js
 */
import { type ServerInterceptingCall, type ServerInterceptingCallInterface, status } from "@grpc/grpc-js";
import type { Buffer } from "node:buffer";
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";

/** The inner call of grpc-js, which all wrappers of one call share. */
interface InnerCall {
  readonly stream: ServerHttp2Stream;
  readonly decoder: { maxReadMessageLength: number };
  maxReceiveMessageSize: number;
  handleDataFrame(data: Buffer): void;
  decompressMessage(message: Buffer, encoding: string): Buffer | Promise<Buffer>;
  serializeMessage(message: Buffer): Buffer;
  sendStatus(status: { code: status; details: string; metadata: null }): void;
}

/**
 * Returns the HTTP/2 stream of a call, given as an interceptor or a handler gets it. Undefined when it is not found.
 */
export function streamOf(call: object): ServerHttp2Stream | undefined {
  return innerOf(call)?.stream;
}

/** Returns the HTTP/2 session of a call. Undefined when it is not found, or the stream was destroyed. */
export function sessionOf(call: object): ServerHttp2Session | undefined {
  return streamOf(call)?.session as ServerHttp2Session | undefined;
}

/** Returns the object that all wrappers of one call share, for use as a key. Undefined when it is not found. */
export function innerOf(call: object): InnerCall | undefined {
  const { stream, call: inner } = call as { stream?: unknown; call?: object };
  return stream !== undefined ? call as InnerCall : inner && innerOf(inner);
}

/** Counts the bytes of one request. */
export interface RequestMeter {
  /** Receives the number of bytes of a frame that has arrived. Returns an error message when they exceed a limit. */
  received(bytes: number): string | undefined;
}

const METER = Symbol("request meter");

type Metered = InnerCall & { [METER]?: RequestMeter };

/**
 * Limits the messages that a call may send.
 *
 * @param maxMessageBytes the largest message in bytes, also after decompression
 */
export function boundRequest(call: object, maxMessageBytes: number, meter: RequestMeter): void {
  const inner: Metered | undefined = innerOf(call);
  if (inner?.decoder === undefined || typeof inner.handleDataFrame !== "function") return;
  inner.maxReceiveMessageSize = maxMessageBytes;
  inner.decoder.maxReadMessageLength = maxMessageBytes;
  inner[METER] = meter;
  patchClass(Object.getPrototypeOf(inner));
}

const patched = new WeakSet<object>();

/** Patches the class of all inner calls. Functions for each call would cost memory while the call is open. */
function patchClass(prototype: InnerCall): void {
  if (patched.has(prototype)) return;
  patched.add(prototype);
  const { handleDataFrame, decompressMessage } = prototype;
  prototype.handleDataFrame = function (this: Metered, data) {
    const problem = this[METER]?.received(data.length);
    if (problem === undefined) handleDataFrame.call(this, data);
    else this.sendStatus({ code: status.RESOURCE_EXHAUSTED, details: problem, metadata: null });
  };
  // grpc-js answers INTERNAL when the client's bytes do not decompress.
  prototype.decompressMessage = function (this: Metered, message, encoding) {
    const plain = decompressMessage.call(this, message, encoding);
    if (this[METER] === undefined || !(plain instanceof Promise)) return plain;
    return plain.catch((error) => Promise.reject(asClientError(error)));
  };
}

/**
 * Sends the frames that a function returns, in place of copies that grpc-js makes.
 *
 * @param frameOf returns the frame of a message; undefined: grpc-js makes it
 */
export function sendFrames(call: object, frameOf: (message: Buffer) => Buffer | undefined): void {
  const inner = innerOf(call);
  if (typeof inner?.serializeMessage !== "function") return;
  const { serializeMessage } = inner;
  inner.serializeMessage = (message) => frameOf(message) ?? serializeMessage.call(inner, message);
}

function asClientError(error: { code?: status; details?: string }) {
  if (error.code !== status.INTERNAL) return error;
  return { code: status.INVALID_ARGUMENT, details: "Cannot decompress the request: its bytes are not valid" };
}

/**
 * Returns a call unchanged, as the result of an interceptor.
 *
 * A `ServerInterceptingCall` around the call would hide its stream, and would cost time for each message.
 */
export function passThrough(call: ServerInterceptingCallInterface): ServerInterceptingCall {
  return call as ServerInterceptingCall;
}

/**
 * Calls a function when a call ends.
 *
 * The methods of the call are replaced, because a wrapper would hide the stream. See {@linkcode passThrough}.
 *
 * @param onEnd receives the status code, `CANCELLED` when the client left first; it may be called twice
 */
export function onCallEnd(call: ServerInterceptingCallInterface, onEnd: (code: status) => void): void {
  const { sendStatus, start } = call;
  call.sendStatus = (sent) => {
    onEnd(sent.code ?? status.UNKNOWN);
    sendStatus.call(call, sent);
  };
  call.start = (listener) => {
    start.call(call, {
      onReceiveMetadata: (metadata) => listener.onReceiveMetadata(metadata),
      onReceiveMessage: (message) => listener.onReceiveMessage(message),
      onReceiveHalfClose: () => listener.onReceiveHalfClose(),
      onCancel: () => {
        onEnd(status.CANCELLED);
        listener.onCancel();
      },
    });
  };
}
