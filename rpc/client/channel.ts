/** The connection of one client to one server: how it is made, its open calls, and how it ends. */
import { isIP, type Socket } from "node:net";
import { createSecureContext } from "node:tls";
import type { CallOptions } from "../../proto/service.ts";
import { observeSockets, stopReconnecting } from "../compat/grpc_channel.ts";
import { MAX_KEPT_BYTES } from "../compat/sent_messages.ts";
import { type Address, checkConnectable, formatAddress } from "../shared/address.ts";
import { CallError } from "../shared/errors.ts";
import { KEEPALIVE_MS, KEEPALIVE_TIMEOUT_MS } from "../shared/keepalive.ts";
import {
  checkTlsCredentials,
  pemBytes,
  readAuthorities,
  readChain,
  type TlsCredentials,
} from "../shared/tls_credentials.ts";
import { type CallOptions as GrpcCallOptions, ChannelCredentials, Client, ConnectivityState } from "./grpc.ts";
import { FailureExplainer } from "./explain_failure.ts";
import { hostAsked } from "./server_identity.ts";

/**
 * The receive window of a new connection. With the default of 64 KiB a stream waits for the network after each chunk. The
 * server also sends this much to a watcher that stops reading, which costs the server the same memory for a while. A
 * reader gets more later: see `../compat/reader_window.ts`.
 */
const WINDOW_BYTES = 512 * 1024;

/** The limit of most servers. The largest chunk of output and the largest page of jobs are smaller. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/**
 * The time between connection attempts, which doubles up to the maximum. Most outages last a moment, so the first
 * attempt comes soon.
 */
const FIRST_RECONNECT_MS = 100;
const MAX_RECONNECT_MS = 5_000;

/** A connection with its handshake takes 10 ms, and a second over a poor network. */
const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;

/** How long close() waits for a peer that does not answer. */
const CLOSE_TIMEOUT_MS = 1_000;

/** The TLS name for an IP address. Deno refuses an IP address as a name; the client checks the address itself. */
const NAME_FOR_IP = "teleport.invalid";

/** An open call of grpc-js. */
interface Cancellable {
  cancel(): void;
  once(event: "status", listener: () => void): unknown;
}

/** A call that was started. */
interface Opened<Call> {
  readonly call: Call;
  /** Returns the error for the caller, given the error that the call ended with. */
  readonly explain: (error: unknown) => CallError;
}

/** A connection, which is made for the first call. */
export class Channel {
  readonly #connectTimeoutMs: number;
  readonly #client: Client;
  /** The open calls. Each function removes the call's timer and abort listener. */
  readonly #open = new Map<Cancellable, () => void>();
  readonly #sockets = new Set<Socket>();
  readonly #failures: FailureExplainer;
  #closed = false;

  /**
   * @throws {AddressError} when a client cannot connect to the address
   * @throws {TlsCredentialsError} when a certificate or the key cannot be used
   */
  constructor(address: Address, credentials: TlsCredentials, connectTimeoutMs = DEFAULT_CONNECT_TIMEOUT_MS) {
    this.#connectTimeoutMs = connectTimeoutMs;
    checkConnectable(address);
    checkTlsCredentials(credentials);
    this.#failures = new FailureExplainer(address, readAuthorities(credentials.ca), readChain(credentials.cert));
    this.#client = new Client(formatAddress(address), this.#channelCredentials(credentials), {
      "grpc-node.flow_control_window": WINDOW_BYTES,
      "grpc.max_receive_message_length": MAX_ANSWER_BYTES,
      // The server's limit decides, and its error names it.
      "grpc.max_send_message_length": -1,
      "grpc.initial_reconnect_backoff_ms": FIRST_RECONNECT_MS,
      "grpc.max_reconnect_backoff_ms": MAX_RECONNECT_MS,
      "grpc.enable_http_proxy": 0,
      "grpc.keepalive_time_ms": KEEPALIVE_MS,
      "grpc.keepalive_timeout_ms": KEEPALIVE_TIMEOUT_MS,
      "grpc.enable_channelz": 0,
      // The caller decides whether to retry: a lost call may have started a job.
      "grpc.enable_retries": 0,
      "grpc.per_rpc_retry_buffer_size": MAX_KEPT_BYTES,
      "grpc.service_config_disable_resolution": 1,
      // The connection belongs to this client alone, so that close() can end it.
      "grpc.use_local_subchannel_pool": 1,
      // TLS names have no final dot. Source: RFC 6066, section 3.
      "grpc.ssl_target_name_override": isIP(address.host) ? NAME_FOR_IP : hostAsked(address.host),
    });
  }

  #channelCredentials(credentials: TlsCredentials): ChannelCredentials {
    const context = createSecureContext({ ...pemBytes(credentials), minVersion: "TLSv1.3" });
    // Deno would close a refused connection before the reason can be read. So checkServer() checks the server instead.
    const made = ChannelCredentials.createFromSecureContext(context, {
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    observeSockets(made, {
      connected: (socket) => {
        this.#sockets.add(socket);
        socket.once("close", () => this.#sockets.delete(socket));
      },
      secured: (socket) => this.#failures.checkServer(socket),
    });
    return made;
  }

  /**
   * Starts a call. Cancels it when the caller's signal aborts, when no connection is made in time, or when the channel
   * is closed.
   *
   * @throws {CallError} with status CANCELLED when the signal has aborted already, or the channel was closed
   */
  open<Call extends Cancellable>(
    { signal, deadlineMs }: CallOptions,
    start: (client: Client, options: GrpcCallOptions) => Call,
  ): Opened<Call> {
    if (this.#closed) throw new CallError("CANCELLED", "The client is closed: connect again");
    if (signal?.aborted) {
      throw new CallError("CANCELLED", "The call was cancelled before it began", { cause: signal.reason });
    }
    const call = start(this.#client, deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs });
    let wasCancelled = false;
    const cancel = () => {
      wasCancelled = true;
      call.cancel();
    };
    signal?.addEventListener("abort", cancel, { once: true });
    let hasTimedOut = false;
    const connecting = this.#ready ? undefined : setTimeout(() => {
      hasTimedOut = !this.#ready;
      if (hasTimedOut) cancel();
    }, this.#connectTimeoutMs);
    const release = () => {
      clearTimeout(connecting);
      signal?.removeEventListener("abort", cancel);
      this.#open.delete(call);
    };
    this.#open.set(call, release);
    call.once("status", release);
    return {
      call,
      explain: (error) =>
        this.#failures.explain(error, {
          deadlineMs,
          connectTimeoutMs: hasTimedOut ? this.#connectTimeoutMs : undefined,
          wasCancelled: wasCancelled || this.#closed,
        }),
    };
  }

  get #ready(): boolean {
    return this.#client.getChannel().getConnectivityState(false) === ConnectivityState.READY;
  }

  /** Cancels all calls and closes the connection. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const [call, release] of this.#open) {
      release();
      call.cancel();
    }
    stopReconnecting(this.#client.getChannel());
    this.#client.close();
  }

  /** Resolves when the connection has ended. */
  async closed(): Promise<void> {
    const ended = Promise.all([...this.#sockets].map((socket) =>
      new Promise<void>((resolve) => {
        if (socket.closed) resolve();
        else socket.once("close", () => resolve());
      })
    ));
    const timer = setTimeout(() => this.#sockets.forEach((socket) => socket.destroy()), CLOSE_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
  }
}
