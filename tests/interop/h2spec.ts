/**
 * Runs h2spec, a conformance test of HTTP/2: https://github.com/summerwind/h2spec. It is built with Go. It has no
 * client certificate, so it uses plain HTTP/2 to a proxy that has one.
 */
import type { TlsCredentials } from "../../rpc/client/client.ts";

// The newest version on Go's module proxy.
export const H2SPEC = "github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible";

/** A proxy that connects to a server with a client certificate. */
export interface Proxy extends AsyncDisposable {
  readonly port: number;
}

/** Starts the proxy. */
export function startProxy(port: number, { ca, cert, key }: TlsCredentials): Proxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const options = { hostname: "127.0.0.1", port, caCerts: [ca], cert, key, alpnProtocols: ["h2"] };
  const open = new Set<Promise<void>>();
  const over = new AbortController();
  const join = async (client: Deno.TcpConn) => {
    const server = await Deno.connectTls(options);
    const { signal } = over;
    // Either side may close the connection at any time.
    await Promise.allSettled([
      client.readable.pipeTo(server.writable, { signal }),
      server.readable.pipeTo(client.writable, { signal }),
    ]);
  };
  const accepting = (async () => {
    for await (const client of listener) {
      const connection = join(client).finally(() => open.delete(connection));
      open.add(connection);
    }
  })();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      over.abort();
      await accepting;
      await Promise.all(open);
    },
  };
}

/** The result of h2spec. */
export interface H2specResult {
  readonly tests: number;
  /** The section and the title of each failure, such as `http2/5.1: closed: Sends a DATA frame`. */
  readonly failures: readonly string[];
}

/** Runs h2spec against a port. */
export async function runH2spec(path: string, port: number, timeoutMs: number): Promise<H2specResult> {
  const report = await Deno.makeTempFile({ prefix: "teleport_h2spec_" });
  try {
    await new Deno.Command(path, {
      args: ["-h", "127.0.0.1", "-p", `${port}`, "-P", "/x", "-j", report],
      stdin: "null",
      signal: AbortSignal.timeout(timeoutMs),
    }).output();
    return read(await Deno.readTextFile(report));
  } finally {
    await Deno.remove(report);
  }
}

/** Reads the parts of a JUnit report that h2spec writes. */
function read(xml: string): H2specResult {
  const cases = [...xml.matchAll(/<testcase package="([^"]*)" classname="([^"]*)"[^>]*>(.*?)<\/testcase>/gs)];
  const failures = cases.filter(([, , , body]) => /<(error|failure)/.test(body ?? ""));
  return { tests: cases.length, failures: failures.map(([, section, title]) => `${section}: ${title}`) };
}
