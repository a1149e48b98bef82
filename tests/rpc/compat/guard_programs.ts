/**
 * Programs for the test of the guard, which must run in processes of their own, for the error it guards against ends
 * the process. Arguments: `server`, `client PORT` or `bursts PORT`, then `guarded` to have the guard.
 */
import * as grpc from "@grpc/grpc-js";
import { Buffer } from "node:buffer";

const bytes = (value: Buffer) => value;
const METHOD = {
  path: "/test.Echo/Echo",
  requestStream: false,
  responseStream: false,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
};

/** One call that comes back with what was sent. */
function echo(client: grpc.Client): Promise<void> {
  return new Promise((resolve, reject) =>
    client.makeUnaryRequest(
      METHOD.path,
      bytes,
      bytes,
      Buffer.from("hello"),
      (error) => error ? reject(error) : resolve(),
    )
  );
}

/** Serves echo() on a free port. */
export async function serveEcho(): Promise<{ server: grpc.Server; port: number }> {
  const server = new grpc.Server();
  server.addService({ Echo: METHOD }, {
    Echo: (call: grpc.ServerUnaryCall<Buffer, Buffer>, respond: grpc.sendUnaryData<Buffer>) =>
      respond(null, call.request),
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync(
      "127.0.0.1:0",
      grpc.ServerCredentials.createInsecure(),
      (error, bound) => error ? reject(error) : resolve(bound),
    )
  );
  return { server, port };
}

function echoClient(port: number | string): grpc.Client {
  return new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
  });
}

/** How many of 25 clients that make 100 calls at once and leave a server outlives. */
async function burstsOutlived(port: string): Promise<number> {
  for (let bursts = 0; bursts < 25; bursts++) {
    const client = echoClient(port);
    try {
      await Promise.all(Array.from({ length: 100 }, () => echo(client)));
    } catch {
      return bursts;
    } finally {
      client.close();
    }
  }
  return 25;
}

if (import.meta.main) {
  const [role, ...rest] = Deno.args;
  if (rest.includes("guarded")) await import("../../../rpc/compat/http2_guard.ts");
  const say = (line: unknown) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
  if (role === "server") {
    say((await serveEcho()).port);
  } else if (role === "bursts") {
    say(await burstsOutlived(rest[0] ?? ""));
  } else {
    const client = echoClient(rest[0] ?? "");
    await echo(client);
    say("idle");
    // The server says GOAWAY now; whoever outlives that, says so when told to.
    await Deno.stdin.read(new Uint8Array(1));
    say("alive");
    client.close();
  }
}
