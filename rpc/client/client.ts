/** A typed client of teleport over mTLS. Single answers are promises; streams are async iterables. */
import "../compat/http2_guard.ts";
import type { CallName, CallOptions, JobWorkerClient } from "../../proto/service.ts";
import { parseAddress } from "../shared/address.ts";
import { decodeWithoutParts } from "../compat/message_decoder.ts";
import { widenForReaders } from "../compat/reader_window.ts";
import { sendWithoutCopies } from "../compat/sent_messages.ts";
import { Channel } from "./channel.ts";
import { Metadata } from "./grpc.ts";
import { type ClientMethod, methods } from "./methods.ts";
import type { ServingStatus } from "../shared/health_definition.ts";
import type { TlsCredentials } from "../shared/tls_credentials.ts";
import { send } from "./send.ts";

export { AddressError, parseAddress } from "../shared/address.ts";
export { type TlsCredentials, TlsCredentialsError } from "../shared/tls_credentials.ts";
export { CallError, type StatusName } from "../shared/errors.ts";
export type { ServingStatus } from "../shared/health_definition.ts";
export type { UnreachableReason } from "../shared/unavailable.ts";

decodeWithoutParts();
sendWithoutCopies();
widenForReaders();

/** Options of {@linkcode connect}. */
export interface ConnectOptions {
  /** The server as HOST:PORT, an IPv6 address in brackets. The server's certificate must name this host. */
  readonly address: string;
  readonly credentials: TlsCredentials;
  /** The longest time to connect, in milliseconds. A call then fails with UNAVAILABLE. Default 10,000. */
  readonly connectTimeoutMs?: number;
}

/**
 * A connection to a server. It is made for the first call, and again after it was lost.
 *
 * A failed call rejects with a CallError. The last messages of a failed stream may be missing, because grpc-js delivers
 * the error first. A stream that ends without an error is complete.
 */
export interface RpcClient {
  readonly calls: JobWorkerClient;
  /** Returns the status of the server from its health service. */
  health(signal?: AbortSignal): Promise<ServingStatus>;
  /** Cancels open calls and closes the connection. Later calls fail with CANCELLED. */
  close(): void;
  /** Closes, and resolves when the connection has ended. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Creates a client. It sends nothing before the first call.
 *
 * @example
 * ```ts ignore
 * await using client = connect({ address: "127.0.0.1:50051", credentials });
 * const { id } = await client.calls.Register({ command: "true" });
 * for await (const status of client.calls.Start({ id })) console.log(status.state);
 * ```
 *
 * @throws {AddressError} when the address is not HOST:PORT
 * @throws {TlsCredentialsError} when a certificate or the key cannot be used
 */
export function connect({ address, credentials, connectTimeoutMs }: ConnectOptions): RpcClient {
  const channel = new Channel(parseAddress(address), credentials, connectTimeoutMs);
  const calls = Object.fromEntries(
    (Object.keys(methods) as CallName[]).map((name) => [name, callOf(channel, methods[name])]),
  ) as unknown as JobWorkerClient;
  return {
    calls,
    async health(signal) {
      // Only here, because it needs the types of protobuf.js, and most clients never ask.
      const { healthMethods } = await import("../shared/health_definition.ts");
      const answer = await single(channel, healthMethods().Check, { service: "" }, signal ? { signal } : {});
      return (answer as { status: ServingStatus }).status;
    },
    close: () => channel.close(),
    [Symbol.asyncDispose]: async () => {
      channel.close();
      await channel.closed();
    },
  };
}

/** Returns the function that makes the calls of a method. */
function callOf(channel: Channel, method: ClientMethod) {
  if (method.requestStream) {
    // An async function rejects when the call cannot start.
    return async (requests: AsyncIterable<object>, options?: CallOptions) =>
      await send(channel, method, requests, options);
  }
  const call = method.responseStream ? stream : single;
  return (request: object, options?: CallOptions) => call(channel, method, request, options);
}

/** Makes a call with one answer. */
function single(channel: Channel, method: ClientMethod, request: object, options: CallOptions = {}): Promise<object> {
  return new Promise((resolve, reject) => {
    const opened = channel.open(options, (client, settings) =>
      client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        new Metadata(),
        settings,
        (error, answer) => {
          if (error) reject(opened.explain(error));
          else resolve(answer!);
        },
      ));
  });
}

/** Returns an iterable that makes one call each time it is iterated. */
function stream(
  channel: Channel,
  method: ClientMethod,
  request: object,
  options: CallOptions = {},
): AsyncIterable<object> {
  return { [Symbol.asyncIterator]: () => new StreamIterator(channel, method, request, options) };
}

/** Reads a stream. It is not a generator, whose return() would wait for a next() that may never resolve. */
class StreamIterator implements AsyncIterator<object> {
  readonly #open: () => StreamCall;
  #call: StreamCall | undefined;
  #ended = false;

  constructor(channel: Channel, method: ClientMethod, request: object, options: CallOptions) {
    this.#open = () => {
      const { call, explain } = channel.open(options, (client, settings) =>
        client.makeServerStreamRequest(
          method.path,
          method.requestSerialize,
          method.responseDeserialize,
          request,
          new Metadata(),
          settings,
        ));
      // An error after the reader has left only answers the cancel.
      call.on("error", () => {});
      return { messages: call[Symbol.asyncIterator](), leave: () => call.cancel(), explain };
    };
  }

  async next(): Promise<IteratorResult<object, undefined>> {
    if (this.#ended) return { done: true, value: undefined };
    // open() throws when the call cannot start.
    const call = this.#call ??= this.#open();
    try {
      const step = await call.messages.next();
      if (!step.done) return step;
    } catch (error) {
      // After return(), the error is only the cancelled call.
      if (!this.#ended) {
        this.#end();
        throw call.explain(error);
      }
    }
    this.#end();
    return { done: true, value: undefined };
  }

  return(): Promise<IteratorResult<object, undefined>> {
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#call?.leave();
  }
}

/** The parts of an open stream that its reader uses. */
interface StreamCall {
  readonly messages: AsyncIterator<object>;
  readonly leave: () => void;
  readonly explain: (error: unknown) => Error;
}
