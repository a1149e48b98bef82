/** Connects a node host to its gateway. */
import { connect } from "node:tls";
import { aborted } from "../../base/aborted.ts";
import type { ByteStream } from "../../job_host.ts";
import { GATEWAY_NAME } from "./gateway_name.ts";
import type { NodeConfig } from "./node_config.ts";
import { TlsStream } from "./tls_stream.ts";

/** A gateway sends a message every 20 seconds. Without one for this time, in milliseconds, the connection is closed. */
const IDLE_MS = 60_000;
/** The time for a connection and its handshake, in milliseconds. */
const CONNECT_MS = 20_000;

/**
 * Connects to a gateway. Accepts no peer but the gateway that has written the configuration.
 *
 * @param attempt chooses one of several addresses
 * @throws {Error} when the address cannot be reached, or is not the gateway's
 */
export async function connectGateway(config: NodeConfig, attempt: number, signal: AbortSignal): Promise<ByteStream> {
  const address = config.addresses[attempt % config.addresses.length] ?? "";
  const [, host = "", port = ""] = /^\[?(.*?)\]?:(\d+)$/.exec(address) ?? [];
  const socket = connect({
    host,
    port: Number(port),
    servername: GATEWAY_NAME,
    ca: config.ca,
    cert: config.certificate,
    key: config.key,
    minVersion: "TLSv1.3",
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once("secureConnect", resolve);
  socket.once("close", () => reject(new Error("The connection was closed")));
  socket.on("error", reject); // After the handshake, the end of the stream reports it.
  const timer = setTimeout(() => reject(new Error("The gateway does not answer")), CONNECT_MS);
  try {
    await Promise.race([promise, aborted(signal).then(() => signal.throwIfAborted())]);
    if (!socket.authorized) throw new Error(`The gateway has no valid certificate: ${socket.authorizationError}`);
    socket.setNoDelay(true);
    return new TlsStream(socket, IDLE_MS);
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
