/**
 * Programs for the tests of the guard. They run in processes of their own, because the errors end the process.
 * Arguments: `server`, `throwing`, `client PORT` or `bursts PORT`; then `guarded` to load the guard.
 */
import * as grpc from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import type { ServerHttp2Stream } from "node:http2";
import { addEcho, echo, listen, plainClient } from "./plain_grpc.ts";

/** Serves {@linkcode ECHO} on a free port. */
export async function serveEcho(): Promise<{ server: grpc.Server; port: number }> {
  const server = new grpc.Server();
  addEcho(server);
  return { server, port: await listen(server) };
}

const callEcho = (client: grpc.Client) => echo(client, Buffer.from("hello"));

/** Returns how many clients a server survives, of 25 that make 100 calls at once and leave. */
async function burstsSurvived(port: string): Promise<number> {
  for (let bursts = 0; bursts < 25; bursts++) {
    const client = plainClient(port);
    try {
      await Promise.all(Array.from({ length: 100 }, () => callEcho(client)));
    } catch {
      return bursts;
    } finally {
      client.close();
    }
  }
  return 25;
}

/** Makes a call to a server in which a listener of the stream throws. Returns the status of a later call. */
async function statusAfterThrow(): Promise<number> {
  const { default: http2 } = await import("node:http2");
  const server = http2.createServer();
  server.once("stream", () => {
    throw new Error("of the test");
  });
  server.on("stream", (stream: ServerHttp2Stream) => stream.respond({ ":status": 200 }, { endStream: true }));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const session = http2.connect(`http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`);
  const statusOf = () =>
    new Promise<number>((resolve, reject) =>
      session.request({ ":path": "/" }).on("response", (headers) => resolve(Number(headers[":status"])))
        .on("close", () => reject(new Error("closed"))).on("error", reject).resume()
    );
  await statusOf().catch(() => {});
  return await statusOf();
}

if (import.meta.main) {
  const [role, ...rest] = Deno.args;
  if (rest.includes("guarded")) await import("../../../rpc/compat/http2_guard.ts");
  const say = (line: unknown) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
  if (role === "server") {
    say((await serveEcho()).port);
  } else if (role === "throwing") {
    say(await statusAfterThrow());
  } else if (role === "bursts") {
    say(await burstsSurvived(rest[0] ?? ""));
  } else {
    const client = plainClient(rest[0] ?? "");
    await callEcho(client);
    say("idle");
    // The server sends GOAWAY now. A process that survives it answers the next byte.
    await Deno.stdin.read(new Uint8Array(1));
    say("alive");
    client.close();
  }
}
