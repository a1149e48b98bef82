/** Servers and clients of grpc-js alone, without our adapter. */
import * as grpc from "@grpc/grpc-js";
import type { Buffer } from "node:buffer";

/** Encodes and decodes messages that are bytes already. */
export const bytes = (value: Buffer): Buffer => value;

/** Returns a method whose messages are bytes. */
export function methodOf(path: string, requestStream = false): grpc.MethodDefinition<Buffer, Buffer> {
  return {
    path,
    requestStream,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  };
}

/** A call that returns its request. */
export const ECHO: grpc.MethodDefinition<Buffer, Buffer> = methodOf("/test.Echo/Echo");

/** Listens on a free port of loopback without TLS. Returns the port. */
export function listen(server: grpc.Server): Promise<number> {
  return new Promise((resolve, reject) =>
    server.bindAsync(
      "127.0.0.1:0",
      grpc.ServerCredentials.createInsecure(),
      (error, port) => error ? reject(error) : resolve(port),
    )
  );
}

/** Adds the call {@linkcode ECHO} to a server. */
export function addEcho(server: grpc.Server): void {
  server.addService({ Echo: ECHO }, {
    Echo: (call: grpc.ServerUnaryCall<Buffer, Buffer>, respond: grpc.sendUnaryData<Buffer>) =>
      respond(null, call.request),
  });
}

/** Connects to a port of loopback without TLS. */
export function plainClient(port: number | string): grpc.Client {
  return new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
  });
}

/** Makes one call of {@linkcode ECHO}. */
export function echo(client: grpc.Client, request: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(ECHO.path, bytes, bytes, request, (error) => error ? reject(error) : resolve());
  });
}
