/**
 * Measures the least processor time of a server on Deno that sends a gigabyte. The parts are TLS alone, HTTP/2 as Deno
 * writes it, and HTTP/2 with joined frames. The argument is a directory that "deno task certs init" has made.
 */
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import process from "node:process";
import tls from "node:tls";
import { joinWrites } from "../../rpc/compat/session_writes.ts";

const [dir = ".", role = "", peer = ""] = Deno.args;
const block = new Uint8Array(65_536);
const BLOCKS = Math.ceil(1e9 / block.length);

/** Sends a gigabyte as fast as the peer reads. */
function send(stream: tls.TLSSocket | http2.ServerHttp2Stream, left = BLOCKS): void {
  if (left === 0) stream.end();
  else stream.write(block, () => send(stream, left - 1));
}

if (role === "tls") {
  tls.connect({ port: Number(peer), rejectUnauthorized: false }).resume();
} else if (role === "http2") {
  const settings = { initialWindowSize: 524_288 };
  const session = http2.connect(`https://localhost:${peer}`, { rejectUnauthorized: false, settings });
  session.on("remoteSettings", () => session.setLocalWindowSize(524_288));
  // A GOAWAY would end the sender: https://github.com/denoland/deno/issues/36788
  session.request({ ":path": "/" }).on("end", () => Deno.exit()).resume();
} else {
  const file = (name: string) => Deno.readTextFileSync(`${dir}/${name}`);
  const keys = { cert: file("server.crt"), key: file("server.key") };
  const overHttp2 = () =>
    http2.createSecureServer(keys).on("stream", (stream) => send(stream as http2.ServerHttp2Stream));
  await measure("TLS alone", "tls", tls.createServer(keys, (socket) => send(socket)));
  await measure("HTTP/2", "http2", overHttp2());
  await measure("HTTP/2, joined frames", "http2", overHttp2().on("session", (session) => void joinWrites(session)));
}

/** Sends to a reader in another process, and prints the processor time of this one. */
async function measure(name: string, role: string, server: tls.Server | http2.Http2SecureServer): Promise<void> {
  await new Promise<void>((listening) => server.listen(0, listening));
  const before = process.cpuUsage();
  const port = String((server.address() as AddressInfo).port);
  const args = ["run", "-A", import.meta.filename ?? "", dir, role, port];
  await new Deno.Command(Deno.execPath(), { args, stdout: "inherit", stderr: "inherit" }).output();
  const { user, system } = process.cpuUsage(before);
  console.log(`${name}: ${((user + system) / 1e6).toFixed(2)} s`);
  server.close();
}
