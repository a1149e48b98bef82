/** A typed client of teleport over mTLS: promises for single answers, async iterables for streams. */
import "../compat/http2_guard.ts";
import * as grpc from "@grpc/grpc-js";
import type { CallName, CallOptions, JobWorkerClient } from "../../proto/service.ts";
import { parseAddress } from "../shared/address.ts";
import { Channel } from "./channel.ts";
import { type Method, methods } from "../shared/definition.ts";
import { healthMethods, type ServingStatus } from "../shared/health_definition.ts";
import type { TlsCredentials } from "../shared/tls_credentials.ts";
import { send } from "./send.ts";

export { AddressError, parseAddress } from "../shared/address.ts";
export { type TlsCredentials, TlsCredentialsError } from "../shared/tls_credentials.ts";
export { CallError, type StatusName } from "../shared/errors.ts";
export type { ServingStatus } from "../shared/health_definition.ts";
export type { UnreachableReason } from "../shared/unavailable.ts";

/** Options of {@linkcode connect}. */
export interface ConnectOptions {
  /** HOST:PORT, an IPv6 address in brackets. The server's certificate must be for this host. */
  readonly address: string;
  readonly credentials: TlsCredentials;
  /** A call fails with UNAVAILABLE when a connection takes longer than this. Default 10,000. */
  readonly connectTimeoutMs?: number;
}

/**
 * A connection to a server, made with the first call and again after it was lost.
 *
 * All calls fail with a CallError. Where a stream fails, messages that the server sent just before may be missing, for
 * grpc-js lets the error overtake them; a stream that ends without one is whole.
 */
export interface RpcClient {
  readonly calls: JobWorkerClient;
  /** Asks the server's health service how it is. */
  health(signal?: AbortSignal): Promise<ServingStatus>;
  /** Cancels the calls that are open, and ends the connection. Further calls fail with CANCELLED. */
  close(): void;
  /** Closes, and resolves when the connection has ended. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes a client. Nothing is sent before the first call.
 *
 * @example
 * ```ts ignore
 * await using client = connect({ address: "127.0.0.1:50051", credentials });
 * const { id } = await client.calls.Register({ command: "true" });
 * for await (const status of client.calls.Start({ id })) console.log(status.state);
 * ```
 *
 * @throws {AddressError} When the address is not HOST:PORT
 * @throws {TlsCredentialsError} When a certificate or the key cannot be used
 */
export function connect({ address, credentials, connectTimeoutMs }: ConnectOptions): RpcClient {
  const channel = new Channel(parseAddress(address), credentials, connectTimeoutMs);
  const calls = Object.fromEntries(
    (Object.keys(methods) as CallName[]).map((name) => [name, callOf(channel, methods[name])]),
  ) as unknown as JobWorkerClient;
  return {
    calls,
    async health(signal) {
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

/** The function that makes the calls of a method. */
function callOf(channel: Channel, method: Method) {
  if (method.requestStream) {
    // What cannot be sent at all rejects too.
    return async (requests: AsyncIterable<object>, options?: CallOptions) =>
      await send(channel, method, requests, options);
  }
  const call = method.responseStream ? stream : single;
  return (request: object, options?: CallOptions) => call(channel, method, request, options);
}

/** One call with one answer. */
function single(channel: Channel, method: Method, request: object, options: CallOptions = {}): Promise<object> {
  return new Promise((resolve, reject) => {
    const opened = channel.open(options, (client, settings) =>
      client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        new grpc.Metadata(),
        settings,
        (error, answer) => {
          if (error) reject(opened.explain(error));
          else resolve(answer);
        },
      ));
  });
}

/** A call each time it is iterated. */
function stream(channel: Channel, method: Method, request: object, options: CallOptions = {}): AsyncIterable<object> {
  return { [Symbol.asyncIterator]: () => new StreamIterator(channel, method, request, options) };
}

/** Reads a stream. Not a generator, whose return() would wait for a next() that may never come. */
class StreamIterator implements AsyncIterator<object> {
  readonly #open: () => StreamCall;
  #call: StreamCall | undefined;
  #ended = false;

  constructor(channel: Channel, method: Method, request: object, options: CallOptions) {
    this.#open = () => {
      const { call, explain } = channel.open(options, (client, settings) =>
        client.makeServerStreamRequest(
          method.path,
          method.requestSerialize,
          method.responseDeserialize,
          request,
          new grpc.Metadata(),
          settings,
        ));
      // An error that comes when nobody reads any more is the answer to the cancelling.
      call.on("error", () => {});
      return { messages: call[Symbol.asyncIterator](), leave: () => call.cancel(), explain };
    };
  }

  async next(): Promise<IteratorResult<object, undefined>> {
    if (this.#ended) return { done: true, value: undefined };
    // Throws when the call cannot even begin.
    const call = this.#call ??= this.#open();
    try {
      const step = await call.messages.next();
      if (!step.done) return step;
    } catch (error) {
      // Of a reader that has left, the error is that it has.
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

/** An open stream as its reader needs it. */
interface StreamCall {
  readonly messages: AsyncIterator<object>;
  readonly leave: () => void;
  readonly explain: (error: unknown) => Error;
}
