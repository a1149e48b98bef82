/** Clients for the tests of connections: silent ones, ones with TLS alone, and users with and without a role. */
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { JobWorkerHandlers, PeerCertificate } from "../../../../proto/service.ts";
import type { ConnectionOwner, RpcServer, TlsCredentials } from "../../../../rpc/server/server.ts";
import { ca, credentials, issue } from "../../../support/certificates.ts";
import { deadline, eventually } from "../../../support/deadline.ts";

/** A handler that returns its request. */
export const echo: Partial<JobWorkerHandlers> = { Status: ({ id }) => Promise.resolve({ id }) };

/** Only ann and bob have a role. */
export function ownerOf({ commonNames: [user = ""] }: PeerCertificate): ConnectionOwner {
  return { user, isMember: user === "ann" || user === "bob" };
}

/** A user with a role. */
export const bob: TlsCredentials = credentials(
  ca,
  await issue({ subject: [["CN", "bob"]], usage: "client", issuer: ca }),
);
/** A user without a role. */
export const eve: TlsCredentials = credentials(
  ca,
  await issue({ subject: [["CN", "eve"]], usage: "client", issuer: ca }),
);

/** Waits until a server's connections are as expected. */
export async function until(server: RpcServer, wanted: (server: RpcServer) => boolean): Promise<void> {
  await eventually(() => wanted(server), () => `other connections than ${JSON.stringify(server.connectionStatistics)}`);
}

/** Opens silent connections. */
export async function silent(server: RpcServer, count: number): Promise<Socket[]> {
  return await Promise.all(Array.from({ length: count }, () => {
    const socket = connectTcp(server.port, "127.0.0.1").on("error", () => {});
    return new Promise<Socket>((resolve) => socket.once("connect", () => resolve(socket)));
  }));
}

/** Opens a TLS connection that stays silent after its handshake. */
export function secured(
  server: RpcServer,
  { ca, cert, key }: TlsCredentials,
  protocols: string[] = ["h2"],
): Promise<Socket> {
  const options = { host: "127.0.0.1", port: server.port, servername: "localhost", ca, cert, key };
  return new Promise((resolve) => {
    const socket = connectTls({ ...options, ALPNProtocols: protocols }, () => resolve(socket));
    socket.on("error", () => {});
  });
}

/** Closes sockets. */
export async function destroyed(sockets: Iterable<Socket>): Promise<void> {
  for (const socket of sockets) {
    if (!socket.closed) await deadline(new Promise<void>((resolve) => socket.once("close", () => resolve()).destroy()));
  }
}
