/** One client's connection to one server: how it is made, what is open on it, and how it ends. */
import * as grpc from "@grpc/grpc-js";
import { isIP, type Socket } from "node:net";
import { createSecureContext, type TLSSocket } from "node:tls";
import type { CallOptions } from "../../proto/service.ts";
import { type Address, checkConnectable, formatAddress } from "../shared/address.ts";
import { KEEPALIVE_MS, KEEPALIVE_TIMEOUT_MS } from "../shared/keepalive.ts";
import {
  checkTlsCredentials,
  pemBytes,
  readAuthorities,
  readChain,
  type TlsCredentials,
} from "../shared/tls_credentials.ts";
import { CallError } from "../shared/errors.ts";
import type { Certificate } from "../../trust/certificate.ts";
import { clientCertificateFault } from "./client_identity.ts";
import { hostAsked, serverCertificateFault } from "./server_identity.ts";
import {
  explainLost,
  explainTimeout,
  explainUnavailable,
  mayBeCertificateRefusal,
  type Unreachable,
} from "../shared/unavailable.ts";

// On the default of 64 KiB a stream waits for the network after each piece; measured, this doubles what is read, and 4 MiB
// is no faster. Over a way of 100 ms it carries 5 MB/s. All of it is sent also to a watcher that stops reading, which for a
// while costs the server as much memory.
const WINDOW_BYTES = 512 * 1024;

// Above the largest piece of output and the largest page of jobs; what servers send at most unless told otherwise.
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

// After a connection was lost a client that stays, such as a watcher, tries again this soon, for most outages are a
// moment's, and then ever less often, but never more seldom than the second.
const FIRST_RECONNECT_MS = 100;
const MAX_RECONNECT_MS = 5_000;

// A connection, handshake included, takes 10 ms, and a second over bad lines: what takes this long does not come.
const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;

// A peer that does not answer the end of a connection is not waited for longer than this.
const CLOSE_TIMEOUT_MS = 1_000;

// Deno refuses an IP address as the name that TLS asks for, so it asks for this one, and the address is checked instead.
const NAME_FOR_IP = "teleport.invalid";

/** An open call of grpc-js: it can be cancelled, and says when it is over. */
interface Cancellable {
  cancel(): void;
  once(event: "status", listener: () => void): unknown;
}

/** A call that was opened. */
interface Opened<Call> {
  readonly call: Call;
  /** What the caller is told of the error that the call ended with. */
  readonly explain: (error: unknown) => CallError;
}

/** A connection, made when the first call needs it. */
export class Channel {
  readonly #address: Address;
  readonly #connectTimeoutMs: number;
  readonly #client: grpc.Client;
  /** What is open, and what ends the waiting for its signal. */
  readonly #open = new Map<Cancellable, () => void>();
  readonly #sockets = new Set<Socket>();
  readonly #authorities: readonly Certificate[];
  readonly #ownChain: readonly Certificate[];
  /** Why the server was not believed when it was last reached. */
  #serverRefusal: Unreachable | undefined;
  /** True once a handshake has ended, from when on a server that closes the connection may dislike the certificate. */
  #wasSecured = false;
  #closed = false;

  constructor(address: Address, credentials: TlsCredentials, connectTimeoutMs = DEFAULT_CONNECT_TIMEOUT_MS) {
    this.#address = address;
    this.#connectTimeoutMs = connectTimeoutMs;
    checkConnectable(address);
    checkTlsCredentials(credentials);
    this.#authorities = readAuthorities(credentials.ca);
    this.#ownChain = readChain(credentials.cert);
    this.#client = new grpc.Client(formatAddress(address), this.#channelCredentials(credentials), {
      "grpc-node.flow_control_window": WINDOW_BYTES,
      "grpc.max_receive_message_length": MAX_ANSWER_BYTES,
      // The server's limit is the one that counts, and its answer says so.
      "grpc.max_send_message_length": -1,
      "grpc.initial_reconnect_backoff_ms": FIRST_RECONNECT_MS,
      "grpc.max_reconnect_backoff_ms": MAX_RECONNECT_MS,
      "grpc.enable_http_proxy": 0,
      "grpc.keepalive_time_ms": KEEPALIVE_MS,
      "grpc.keepalive_timeout_ms": KEEPALIVE_TIMEOUT_MS,
      "grpc.enable_channelz": 0,
      // Whether to try again is for the caller to know: a start may have happened.
      "grpc.enable_retries": 0,
      "grpc.service_config_disable_resolution": 1,
      // A connection of its own, which close() can end.
      "grpc.use_local_subchannel_pool": 1,
      // TLS knows names without their last dot (RFC 6066, section 3).
      "grpc.ssl_target_name_override": isIP(address.host) ? NAME_FOR_IP : hostAsked(address.host),
    });
  }

  #channelCredentials(credentials: TlsCredentials): grpc.ChannelCredentials {
    const { host } = this.#address;
    const context = createSecureContext({ ...pemBytes(credentials), minVersion: "TLSv1.3" });
    // Deno would end a refused handshake before anybody could see why, so the server is judged below, before it is used.
    const made = grpc.credentials.createFromSecureContext(context, {
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    // The one place where grpc-js shows the sockets of a channel.
    const create = made._createSecureConnector.bind(made);
    made._createSecureConnector = (...args) => {
      const connector = create(...args);
      return {
        ...connector,
        waitForReady: () => connector.waitForReady(),
        getCallCredentials: () => connector.getCallCredentials(),
        destroy: () => connector.destroy(),
        connect: async (socket) => {
          this.#sockets.add(socket);
          socket.once("close", () => this.#sockets.delete(socket));
          const secured = await connector.connect(socket);
          this.#checkServer(secured.socket as TLSSocket, host);
          return secured;
        },
      };
    };
    return made;
  }

  /** Refuses a connection to a server that is not believed. */
  #checkServer(socket: TLSSocket, host: string): void {
    this.#serverRefusal = serverCertificateFault(socket, host, this.#authorities);
    if (this.#serverRefusal !== undefined) {
      socket.destroy();
      throw new Error(this.#serverRefusal.sentence);
    }
    this.#wasSecured = true;
  }

  /**
   * Opens a call, and cancels it when the caller's signal aborts, when no connection can be made in time, or when the
   * channel is closed.
   *
   * @throws {CallError} With status CANCELLED when the signal has aborted or the channel was closed before
   */
  open<Call extends Cancellable>(
    { signal, deadlineMs }: CallOptions,
    start: (client: grpc.Client, options: grpc.CallOptions) => Call,
  ): Opened<Call> {
    if (this.#closed) throw new CallError("CANCELLED", "The client is closed: connect again");
    if (signal?.aborted) {
      throw new CallError("CANCELLED", "The call was cancelled before it began", { cause: signal.reason });
    }
    const call = start(this.#client, deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs });
    let wasLeft = false;
    const cancel = () => {
      wasLeft = true;
      call.cancel();
    };
    signal?.addEventListener("abort", cancel, { once: true });
    let overdue = false;
    const connecting = this.#ready ? undefined : setTimeout(() => {
      overdue = !this.#ready;
      if (overdue) cancel();
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
      explain: (error) => {
        const failed = CallError.from(error);
        if (overdue) return unreachable(explainTimeout(this.#connectTimeoutMs, this.#address), failed);
        // grpc-js says so of a call whose connection has ended in some way that it does not know.
        const wasCut = failed.status === "CANCELLED" && failed.code === undefined && !wasLeft && !this.#closed;
        if (wasCut) return unreachable(explainLost(this.#address), failed);
        return this.#explain(failed, deadlineMs);
      },
    };
  }

  /** The server's own sentences stay; those of grpc-js are replaced. */
  #explain(failed: CallError, deadlineMs: number | undefined): CallError {
    const { status, message, code } = failed;
    if (code !== undefined) return failed;
    if (status === "UNAVAILABLE") {
      const why = this.#explainUnavailable(message);
      return why === undefined ? failed : unreachable(why, failed);
    }
    if (status === "CANCELLED") return new CallError(status, "The call was cancelled", failed);
    if (status === "DEADLINE_EXCEEDED" && deadlineMs !== undefined) {
      return new CallError(status, `No answer within ${deadlineMs} ms`, failed);
    }
    return failed;
  }

  /**
   * Why no connection came to be. A server of TLS 1.3 that does not accept a certificate closes a connection that was
   * made, as many a failure does. So the client judges its own certificate before it blames anything else.
   */
  #explainUnavailable(message: string): Unreachable | undefined {
    const server = formatAddress(this.#address);
    const refusal = this.#serverRefusal;
    if (refusal !== undefined && message.includes(refusal.sentence)) {
      return { reason: refusal.reason, sentence: `Cannot reach the server at "${server}": ${refusal.sentence}` };
    }
    const why = explainUnavailable(message, this.#address);
    const own = this.#wasSecured ? clientCertificateFault(this.#ownChain, this.#authorities) : undefined;
    // The server may accept other authorities than this client: these are blamed only where it has answered nothing.
    if (own === undefined || !(own.isCertain || mayBeCertificateRefusal(why?.reason))) return why;
    return { reason: own.reason, sentence: `Cannot reach the server at "${server}": ${own.sentence}` };
  }

  get #ready(): boolean {
    return this.#client.getChannel().getConnectivityState(false) === grpc.connectivityState.READY;
  }

  /** Cancels all calls and ends the connection. */
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

function unreachable({ reason, sentence }: Unreachable, { cause }: CallError): CallError {
  return new CallError("UNAVAILABLE", sentence, { cause, unreachable: reason });
}

/**
 * Ends the timer that runs after a connection failed, which grpc-js lets run on for seconds after closing. It is
 * in fields that grpc-js keeps to itself; where they are not found the timer just runs out.
 */
function stopReconnecting(channel: object): void {
  type Pool = Record<string, { subchannel?: { backoffTimeout?: { stop?(): void } } }[]>;
  const { internalChannel } = channel as { internalChannel?: { subchannelPool?: { pool?: Pool } } };
  for (const { subchannel } of Object.values(internalChannel?.subchannelPool?.pool ?? {}).flat()) {
    subchannel?.backoffTimeout?.stop?.();
  }
}
