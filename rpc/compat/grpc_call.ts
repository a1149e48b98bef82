/**
 * Reaches into the calls of grpc-js 1.14 for what its face does not give: the HTTP/2 stream, the size of one method's
 * requests, and the bytes that a request holds before it is whole. `tests/rpc/compat/grpc_call_test.ts` fails when the
 * fields have moved; without them the server works, with the bounds of grpc-js alone.
 *
 * Source: @grpc/grpc-js/build/src/server-interceptors.js, stream-decoder.js
 */
import { status } from "@grpc/grpc-js";
import type { Buffer } from "node:buffer";
import type { ServerHttp2Stream } from "node:http2";

/** A call as grpc-js has it inside. */
interface InnerCall {
  readonly stream: ServerHttp2Stream;
  readonly decoder: { maxReadMessageLength: number };
  maxReceiveMessageSize: number;
  handleDataFrame(data: Buffer): void;
  decompressMessage(message: Buffer, encoding: string): Buffer | Promise<Buffer>;
  sendStatus(status: { code: status; details: string; metadata: null }): void;
}

/** Told of the bytes of a request as they arrive. Returns a sentence where there is no room for them. */
export type OnRequestBytes = (bytes: number) => string | undefined;

/** The HTTP/2 stream of a call, as an interceptor or as a handler sees it; undefined where grpc-js hides it elsewhere. */
export function streamOf(call: object): ServerHttp2Stream | undefined {
  return innerOf(call)?.stream;
}

/** The call that all wrappers of one call share, to keep something by; undefined where grpc-js hides it elsewhere. */
export function innerOf(call: object): InnerCall | undefined {
  const { stream, call: inner } = call as { stream?: unknown; call?: object };
  return stream !== undefined ? call as InnerCall : inner && innerOf(inner);
}

/**
 * Bounds what a call may send.
 *
 * @param maxMessageBytes of one message, also after decompression
 * @param onBytes asked for each frame
 */
export function boundRequest(call: object, maxMessageBytes: number, onBytes: OnRequestBytes): void {
  const inner = innerOf(call);
  if (inner?.decoder === undefined || typeof inner.handleDataFrame !== "function") return;
  inner.maxReceiveMessageSize = maxMessageBytes;
  inner.decoder.maxReadMessageLength = maxMessageBytes;
  const { handleDataFrame, decompressMessage } = inner;
  inner.handleDataFrame = (data) => {
    const refusal = onBytes(data.length);
    if (refusal === undefined) handleDataFrame.call(inner, data);
    else inner.sendStatus({ code: status.RESOURCE_EXHAUSTED, details: refusal, metadata: null });
  };
  // grpc-js blames itself (INTERNAL) for bytes of the client that do not decompress.
  inner.decompressMessage = (message, encoding) => {
    const plain = decompressMessage.call(inner, message, encoding);
    return plain instanceof Promise ? plain.catch((error) => Promise.reject(blameClient(error))) : plain;
  };
}

function blameClient(error: { code?: status; details?: string }) {
  if (error.code !== status.INTERNAL) return error;
  return { code: status.INVALID_ARGUMENT, details: "Cannot decompress the request: its bytes are not valid" };
}
