/** The door for node hosts: a TLS listener that accepts only hosts with a certificate of the gateway's own authority. */
import type { TLSSocket } from "node:tls";
import { join } from "node:path";
import { errorMessage } from "../../base/error_message.ts";
import type { Logger } from "../../base/logger.ts";
import type { Authority } from "../../certs/authority.ts";
import type { DialIn, HostReport, NodeGate } from "../../mod.ts";
import { formatAddress } from "../../rpc/shared/address.ts";
import { LimitedLog } from "../log/limited_log.ts";
import { StartError } from "../start_error.ts";
import { gatewayCertificate, jobCertificate, nodeAuthority } from "./authority.ts";
import { NodeListener } from "./node_listener.ts";
import { nodeScript, reportPath } from "./node_config.ts";
import { Reports } from "./read_report.ts";
import { TlsStream } from "./tls_stream.ts";

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
  readonly #limitedLog: LimitedLog;
  readonly #reports = new Reports();
  #listener: NodeListener | undefined;

  constructor(options: NodeGateOptions, authority: Authority) {
    this.#options = options;
    this.#authority = authority;
    this.#limitedLog = new LimitedLog(options.log);
  }

  async token(id: string): Promise<string> {
    const { addresses, command, spool, listen } = this.#options;
    const { certificate, key } = await jobCertificate(this.#authority, id);
    return nodeScript(command, {
      id,
      addresses: addresses.length > 0
        ? addresses
        : [formatAddress({ host: reachable(listen.hostname), port: this.#listener?.port ?? listen.port })],
      ca: this.#authority.certificate,
      certificate,
      key,
      spool,
    }, Deno.cwd());
  }

  async report(id: string): Promise<HostReport> {
    const path = reportPath({ spool: this.#options.spool, id });
    return { path, text: await this.#reports.read(path) };
  }

  async open(receive: (dialIn: DialIn) => void): Promise<void> {
    const { data, listen, log } = this.#options;
    const limitedLog = this.#limitedLog;
    const { certificate: cert, key } = await gatewayCertificate(this.#authority);
    const path = join(data, "nodes", "port");
    // Hosts of an earlier gateway know only its port.
    const earlier = listen.port === 0 ? await Deno.readTextFile(path).then(Number, () => 0) : 0;
    const address = { host: listen.hostname, port: listen.port || earlier };
    const listener = await NodeListener.open({
      listen: address,
      ca: this.#authority.certificate,
      cert,
      key,
      onSecure(socket, peer) {
        const id = idOf(socket);
        if (id !== undefined) return receive({ id, stream: new TlsStream(socket), address: peer });
        limitedLog.warn("NODE_CERTIFICATE", `A node host at ${peer} has no certificate of this server`, { peer });
        socket.destroy();
      },
      log,
      limitedLog,
    }).catch((cause) => {
      const why = errorMessage(cause);
      throw new StartError(`Cannot listen on "${formatAddress(address)}" for node hosts: ${why}`, { cause });
    });
    this.#listener = listener;
    if (listen.port === 0 && earlier === 0) await Deno.writeTextFile(path, `${listener.port}`);
    log.info(`Node hosts dial ${formatAddress({ ...address, port: listener.port })}`, { port: listener.port });
  }

  async close(): Promise<void> {
    await this.#listener?.close();
    this.#limitedLog[Symbol.dispose]();
  }
}

/** Returns a name that nodes know for an address to listen on. */
function reachable(hostname: string): string {
  return hostname === "0.0.0.0" || hostname === "::" ? Deno.hostname() : hostname;
}

/** Returns the name in the certificate of a host. Undefined when the authority of this gateway did not sign it. */
function idOf(socket: TLSSocket): string | undefined {
  if (!socket.authorized) return undefined;
  const { CN } = socket.getPeerCertificate()?.subject ?? {};
  return typeof CN === "string" && /^[0-9a-f]{32}$/.test(CN) ? CN : undefined;
}

/**
 * Makes the door for node hosts. It accepts none before `open()`.
 *
 * @throws {CertificateError} when the authority in the data directory cannot be used
 */
export async function openNodeGate(options: NodeGateOptions): Promise<NodeGate> {
  return new TlsGate(options, await nodeAuthority(options.data));
}
