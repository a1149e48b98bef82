/**
 * Reads and replaces private parts of client channels of grpc-js 1.14.
 *
 * Reason: the public interface shows neither the sockets of a channel nor the timer of its next attempt. The sockets
 * are needed to check the server's certificate before the connection is used. Test:
 * `tests/rpc/compat/grpc_channel_test.ts`.
 *
 * Source: @grpc/grpc-js/build/src/channel-credentials.js, subchannel.js
 */
import type { ChannelCredentials } from "@grpc/grpc-js";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { freeEncrypted } from "./received_memory.ts";

/** Receives the sockets of a channel. */
export interface SocketObserver {
  /** Receives a TCP connection before its TLS handshake. */
  connected(socket: Socket): void;
  /** Receives a connection after its handshake and before its first use. The attempt fails when this throws. */
  secured(socket: TLSSocket): void;
}

/** Passes the sockets of all channels that use these credentials to an observer. */
export function observeSockets(credentials: ChannelCredentials, observer: SocketObserver): void {
  const create = credentials._createSecureConnector.bind(credentials);
  credentials._createSecureConnector = (...args) => {
    const connector = create(...args);
    return {
      ...connector,
      waitForReady: () => connector.waitForReady(),
      getCallCredentials: () => connector.getCallCredentials(),
      destroy: () => connector.destroy(),
      connect: async (socket) => {
        observer.connected(socket);
        const securing = connector.connect(socket);
        freeEncrypted(socket);
        const secured = await securing;
        observer.secured(secured.socket as TLSSocket);
        return secured;
      },
    };
  };
}

/**
 * Stops the timer of a channel's next connection attempt. grpc-js lets it run for seconds after `close()`. Where the
 * private fields are not found, the timer ends by itself.
 */
export function stopReconnecting(channel: object): void {
  type Pool = Record<string, { subchannel?: { backoffTimeout?: { stop?(): void } } }[]>;
  const { internalChannel } = channel as { internalChannel?: { subchannelPool?: { pool?: Pool } } };
  for (const { subchannel } of Object.values(internalChannel?.subchannelPool?.pool ?? {}).flat()) {
    subchannel?.backoffTimeout?.stop?.();
  }
}
