/** The door for node hosts: a TLS listener that accepts only hosts with a certificate of the gateway's own authority. */
import { createServer, type Server, type TLSSocket } from "node:tls";
import { join } from "node:path";
import type { Logger } from "../../base/logger.ts";
import type { Authority } from "../../certs/authority.ts";
import type { DialIn, NodeGate } from "../../mod.ts";
import { StartError } from "../start_error.ts";
import { gatewayCertificate, jobCertificate, nodeAuthority } from "./authority.ts";
import { nodeScript } from "./node_config.ts";
import { TlsStream } from "./tls_stream.ts";

/** The time that a host has for the TLS handshake, in milliseconds. */
const HANDSHAKE_MS = 10_000;

/** Options of the door. */
export interface NodeGateOptions {
  /** The data directory. */
  readonly data: string;
  /** The address to listen on. Port 0: one that is chosen once, and kept in the data directory. */
  readonly listen: { readonly hostname: string; readonly port: number };
  /** The addresses that hosts dial. Empty: the address of the listener. */
  readonly addresses: readonly string[];
  /** The command line of this program on the nodes, without arguments. */
  readonly command: readonly string[];
  /** The directory on the nodes in which each host makes its own. */
  readonly spool: string;
  readonly log: Logger;
}

/** The door for node hosts. */
class TlsGate implements NodeGate {
  readonly #options: NodeGateOptions;
  readonly #authority: Authority;
  #server: Server | undefined;
  #port = 0;

  constructor(options: NodeGateOptions, authority: Authority) {
    this.#options = options;
    this.#authority = authority;
  }

  async token(id: string): Promise<string> {
    const { addresses, command, spool, listen } = this.#options;
    const { certificate, key } = await jobCertificate(this.#authority, id);
    return nodeScript(command, {
      id,
      addresses: addresses.length > 0 ? addresses : [`${listen.hostname}:${this.#port}`],
      ca: this.#authority.certificate,
      certificate,
      key,
      spool,
    });
  }

  async open(receive: (dialIn: DialIn) => void): Promise<void> {
    const { data, listen, log } = this.#options;
    const { certificate, key } = await gatewayCertificate(this.#authority);
    const server = createServer({
      ca: this.#authority.certificate,
      cert: certificate,
      key,
      requestCert: true,
      // Deno would close the connection before the reason can be read. It is checked below.
      rejectUnauthorized: false,
      minVersion: "TLSv1.3",
      handshakeTimeout: HANDSHAKE_MS,
    }, (socket) => {
      socket.on("error", () => {}); // The stream ends too.
      const id = idOf(socket);
      const address = `${socket.remoteAddress}:${socket.remotePort}`;
      if (id !== undefined) return receive({ id, stream: new TlsStream(socket), address });
      log.warn(`A node host at ${address} has no certificate of this gateway`, { address });
      socket.destroy();
    });
    server.on("tlsClientError", () => {});
    this.#port = await listenAt(server, listen, join(data, "nodes", "port"));
    server.on("error", (error) => log.error(`Cannot accept node hosts: ${error.message}`));
    this.#server = server;
    log.info(`Node hosts dial ${listen.hostname}:${this.#port}`, { port: this.#port });
  }

  close(): Promise<void> {
    this.#server?.close();
    return Promise.resolve();
  }
}

/** Returns the name in the certificate of a host. Undefined when the authority of this gateway did not sign it. */
function idOf(socket: TLSSocket): string | undefined {
  if (!socket.authorized) return undefined;
  const { CN } = socket.getPeerCertificate()?.subject ?? {};
  return typeof CN === "string" && /^[0-9a-f]{32}$/.test(CN) ? CN : undefined;
}

/** Listens, and returns the port. Hosts of an earlier gateway know only its port. */
async function listenAt(
  server: Server,
  { hostname, port }: { readonly hostname: string; readonly port: number },
  path: string,
): Promise<number> {
  const earlier = port !== 0 ? undefined : await Deno.readTextFile(path).then(Number, () => undefined);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ host: hostname, port: earlier ?? port }, resolve);
  await promise.catch((cause) => {
    throw new StartError(`Cannot listen on "${hostname}:${earlier ?? port}" for node hosts: ${cause.message}`, {
      cause,
    });
  });
  server.off("error", reject);
  const bound = (server.address() as { port: number }).port;
  if (port === 0 && earlier === undefined) await Deno.writeTextFile(path, `${bound}`);
  return bound;
}

/**
 * Makes the door for node hosts. It accepts none before `open()`.
 *
 * @throws {CertificateError} when the authority in the data directory cannot be used
 */
export async function openNodeGate(options: NodeGateOptions): Promise<NodeGate> {
  return new TlsGate(options, await nodeAuthority(options.data));
}
