/** Serves the metrics as Prometheus text over HTTP. It checks no certificates, so it listens on loopback only. */
import { errorMessage } from "../../base/error_message.ts";
import { formatAddress, parseAddress } from "../../rpc/shared/address.ts";
import { StartError } from "../start_error.ts";

/** The text to serve. */
export interface MetricsText {
  readonly contentType: string;
  text(): Promise<string>;
}

/** A running endpoint. */
export interface MetricsEndpoint extends AsyncDisposable {
  /** The address, such as `http://127.0.0.1:9464/metrics`. */
  readonly url: string;
}

/**
 * Serves `GET /metrics` until it is disposed of.
 *
 * @param listen a loopback address with a port, such as `127.0.0.1:9464`; port 0 selects a free one
 * @throws {AddressError} when the address cannot be parsed
 * @throws {StartError} when it is not a loopback address, or the server cannot listen on it
 */
export function serveMetrics(listen: string, metrics: MetricsText): MetricsEndpoint {
  const { host, port } = parseAddress(listen);
  if (!isLoopback(host)) {
    throw new StartError(
      `'--metrics' must be a loopback address, got '${host}': give 127.0.0.1:${port} or [::1]:${port}`,
    );
  }
  // Concurrent requests share one text, so they cost as much as one.
  let current: Promise<string> | undefined;
  const text = () => current ??= metrics.text().finally(() => current = undefined);
  const server = listenHttp({ host, port }, async (request) => {
    if (new URL(request.url).pathname !== "/metrics") return new Response("Not found: see /metrics\n", { status: 404 });
    if (request.method !== "GET" && request.method !== "HEAD") {
      return new Response("Only GET\n", { status: 405, headers: { allow: "GET, HEAD" } });
    }
    return new Response(await text(), { headers: { "content-type": metrics.contentType, connection: "close" } });
  });
  return {
    url: `http://${formatAddress({ host, port: server.addr.port })}/metrics`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function listenHttp(
  { host, port }: { host: string; port: number },
  handler: (request: Request) => Promise<Response>,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({
      hostname: host,
      port,
      onListen: () => {},
      onError: () => new Response("The metrics cannot be read now\n", { status: 500 }),
    }, handler);
  } catch (error) {
    const why = errorMessage(error);
    throw new StartError(`Cannot serve metrics on '${formatAddress({ host, port })}': ${why}`);
  }
}

function isLoopback(host: string): boolean {
  return host === "::1" || host === "localhost" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
