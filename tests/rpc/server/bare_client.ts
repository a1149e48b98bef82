/** A client of grpc-js alone, for calls that our client cannot make. */
import * as grpc from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import { clientCredentials } from "../../support/certificates.ts";

/** Connects to a server over mTLS. */
export function bareClient({ port }: { port: number }): grpc.Client {
  const { ca, cert, key } = clientCredentials;
  return new grpc.Client(
    `localhost:${port}`,
    grpc.credentials.createSsl(Buffer.from(ca), Buffer.from(key), Buffer.from(cert)),
    { "grpc.use_local_subchannel_pool": 1 },
  );
}

/** Sends one request to reflection: field 7 lists the services, field 4 is for the file of a symbol. */
export function reflect(server: { port: number }, field = 7, value = ""): Promise<Buffer> {
  const client = bareClient(server);
  const bytes = (message: Buffer) => message;
  const call = client.makeBidiStreamRequest("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", bytes, bytes);
  return new Promise<Buffer>((resolve, reject) => {
    call.once("data", resolve).once("error", reject);
    call.write(Buffer.from([field << 3 | 2, value.length, ...Buffer.from(value)]));
    call.end();
  }).finally(() => {
    call.on("error", () => {}).cancel();
    client.close();
  });
}
