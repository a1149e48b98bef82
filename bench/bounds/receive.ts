/**
 * Measures the least processor time of a client on Deno, for a gigabyte that it drops. The parts are TLS, HTTP/2, SHA-256
 * and writes to `/dev/null`. Deno has two forms of TLS: that of Node.js, which HTTP/2 uses, and its own. The argument is a
 * directory that "deno task certs init" has made.
 */
import { createHash } from "node:crypto";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import process from "node:process";
import tls from "node:tls";

const [dir = ".", role = ""] = Deno.args;
const block = new Uint8Array(65_536);
const BLOCKS = Math.ceil(1e9 / block.length);
const port = (server: tls.Server | http2.Http2SecureServer) =>
  server.listen(0, () => console.log((server.address() as AddressInfo).port));

/** Sends a gigabyte as fast as the peer reads. */
function send(stream: tls.TLSSocket | http2.ServerHttp2Stream, left = BLOCKS): void {
  if (left === 0) stream.end();
  else stream.write(block, () => send(stream, left - 1));
}

if (role !== "") {
  const file = (name: string) => Deno.readTextFileSync(`${dir}/${name}`);
  const keys = { cert: file("server.crt"), key: file("server.key") };
  if (role === "tls") port(tls.createServer(keys, (socket) => send(socket)));
  else port(http2.createSecureServer(keys).on("stream", (stream: http2.ServerHttp2Stream) => send(stream)));
} else {
  await measure("TLS alone", "tls", (port) => tls.connect({ port, rejectUnauthorized: false }));
  const freed = (data: Uint8Array) => void (data.buffer as ArrayBuffer).transfer(0);
  await measure(
    "TLS alone, each buffer freed at once",
    "tls",
    (port) => tls.connect({ port, rejectUnauthorized: false }),
    freed,
  );
  const [hostname, caCerts] = ["localhost", [Deno.readTextFileSync(`${dir}/ca.crt`)]];
  await measureReading("TLS alone, by `Deno.connectTls()`", "tls", async (port) => {
    using connection = await Deno.connectTls({ port, hostname, caCerts });
    while (await connection.read(block) !== null);
  });
  const settings = { initialWindowSize: 524_288 };
  await measure("HTTP/2 over TLS", "http2", (port) => {
    const session = http2.connect(`https://localhost:${port}`, { rejectUnauthorized: false, settings });
    session.on("remoteSettings", () => session.setLocalWindowSize(524_288));
    return session.request({ ":path": "/" });
  });
  const hash = createHash("sha256");
  await report("SHA-256", () => void hash.update(block));
  using output = Deno.openSync("/dev/null", { write: true });
  await report("writeSync() of 64 KiB", () => void output.writeSync(block));
  await report("write() of 64 KiB", async () => void await output.write(block));
}

/** Reads a stream from a server in another process, and prints the processor time. */
function measure(
  name: string,
  role: string,
  open: (port: number) => tls.TLSSocket | http2.ClientHttp2Stream,
  use = (_: Uint8Array) => {},
): Promise<void> {
  return measureReading(
    name,
    role,
    (port) => new Promise<void>((resolve) => void open(port).on("data", use).on("end", resolve)),
  );
}

/** Reads from a server in another process to the end, and prints the processor time. */
async function measureReading(name: string, role: string, read: (port: number) => Promise<void>): Promise<void> {
  const args = ["run", "-A", import.meta.filename ?? "", dir, role];
  await using server = new Deno.Command(Deno.execPath(), { args, stdout: "piped" }).spawn();
  const reader = server.stdout.getReader();
  const { value } = await reader.read();
  const before = process.cpuUsage();
  await read(Number(new TextDecoder().decode(value)));
  print(name, before);
  server.kill();
  await reader.cancel();
}

/** Does the work for a gigabyte in blocks of 64 KiB, and prints the processor time. */
async function report(name: string, work: () => void | Promise<void>): Promise<void> {
  const before = process.cpuUsage();
  for (let count = 0; count < BLOCKS; count++) await work();
  print(name, before);
}

function print(name: string, before: NodeJS.CpuUsage): void {
  const { user, system } = process.cpuUsage(before);
  console.log(`${name}: ${((user + system) / 1e6).toFixed(2)} s`);
}

if (role === "") Deno.exit();
