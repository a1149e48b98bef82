/** A gRPC client of bare HTTP/2, which does things that other clients do not: windows of 0, half requests, any bytes. */
import http2 from "node:http2";
import "../../rpc/compat/http2_guard.ts";
import { Buffer } from "node:buffer";
import type { Server } from "./programs.ts";

/** The end of a raw call. */
export interface RawEnd {
  /** The value of `grpc-status`. Undefined when the stream ended without it. */
  readonly code: number | undefined;
  readonly message: string;
  /** The code of RST_STREAM. */
  readonly resetCode: number;
  readonly bytes: number;
}

/** A call of a raw client. */
export interface RawCall {
  readonly stream: http2.ClientHttp2Stream;
  readonly ended: Promise<RawEnd>;
}

/** A connection to a server. */
export interface RawClient extends AsyncDisposable {
  readonly session: http2.ClientHttp2Session;
  /** Makes a call. The request ends after the messages unless `end` is false. */
  call(path: string, messages: readonly Uint8Array[], end?: boolean): RawCall;
}

/** The options of a raw client. */
export interface RawOptions {
  readonly port: number;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** The window of each stream in bytes. Default 65,535. With 0 the client takes nothing of an answer. */
  readonly windowBytes?: number;
}

/** Connects to a server. */
export async function rawClient({ port, ca, cert, key, windowBytes = 65_535 }: RawOptions): Promise<RawClient> {
  const session = http2.connect(`https://localhost:${port}`, {
    ca,
    cert,
    key,
    settings: { initialWindowSize: windowBytes },
  });
  session.on("error", () => {});
  await new Promise<void>((resolve, reject) => {
    session.once("remoteSettings", () => resolve());
    session.once("close", () => reject(new Error("The connection was closed")));
  });
  return {
    session,
    call: (path, messages, end = true) => call(session, path, messages, end),
    [Symbol.asyncDispose]: async () => {
      if (session.destroyed) return;
      const closed = new Promise<void>((resolve) => session.once("close", () => resolve()));
      session.destroy();
      await closed;
    },
  };
}

/** Puts a message into its gRPC frame. */
export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}

function call(
  session: http2.ClientHttp2Session,
  path: string,
  messages: readonly Uint8Array[],
  end: boolean,
): RawCall {
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
  });
  const { promise: ended, resolve } = Promise.withResolvers<RawEnd>();
  const state = () => ({ code, message, resetCode: stream.rstCode ?? 0, bytes });
  let bytes = 0;
  let code: number | undefined;
  let message = "";
  const read = (headers: http2.IncomingHttpHeaders) => {
    if (headers["grpc-status"] === undefined) return;
    code = Number(headers["grpc-status"]);
    message = decodeURIComponent(String(headers["grpc-message"] ?? ""));
    // The stream stays open when the request has not ended.
    if (!end) resolve(state());
  };
  stream.on("response", read);
  stream.on("trailers", read);
  stream.on("data", (chunk: Uint8Array) => bytes += chunk.length);
  stream.on("error", () => {});
  stream.once("close", () => resolve(state()));
  for (const one of messages) stream.write(framed(one));
  if (end) stream.end();
  return { stream, ended };
}

/** Makes a client certificate with the authority of a server, and gives the options of a raw client with it. */
export async function newClient(
  server: Pick<Server, "address" | "dir">,
  name: string,
  role: string,
): Promise<RawOptions> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "certs.ts", "client", name, "--role", role, "--dir", `${server.dir}/certs`],
    cwd: new URL("../../", import.meta.url).pathname,
  }).output();
  if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
  const read = (file: string) => Deno.readTextFile(`${server.dir}/certs/${file}`);
  const [ca, cert, key] = await Promise.all([read("ca.crt"), read(`${name}.crt`), read(`${name}.key`)]);
  return { port: Number(server.address.slice(server.address.lastIndexOf(":") + 1)), ca, cert, key };
}
