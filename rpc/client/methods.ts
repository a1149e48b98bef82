/** The calls in the form of a client of grpc-js: method paths, and functions that encode requests and decode answers. */
import { Buffer } from "node:buffer";
// Without its types, because the functions for these messages are generated in advance. This is the library in one file:
// Deno takes half a millisecond for each of the 16 files of "protobufjs/minimal.js".
import protobuf from "protobufjs/dist/minimal/protobuf.js";
import type { CallName } from "../../proto/service.ts";
import { codecs } from "../../proto/teleport/v1/job_worker_codec.js";
import { CONVERSION, SERVICE_NAME } from "../shared/message_form.ts";

/** A method, as a client uses it. */
export interface ClientMethod {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly requestSerialize: (message: object) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => object;
}

/** The generated functions of one call. */
interface Codec {
  readonly request: {
    fromObject(message: object): object;
    encode(message: object): { finish(): Uint8Array };
  };
  readonly response: {
    decode(bytes: Uint8Array): object;
    toObject(message: object, conversion: typeof CONVERSION): object;
  };
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}

function methodOf(name: string, { request, response, requestStream, responseStream }: Codec): ClientMethod {
  return {
    path: `/${SERVICE_NAME}/${name}`,
    requestStream,
    responseStream,
    requestSerialize: (message) => {
      const bytes = request.encode(request.fromObject(message)).finish();
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    },
    responseDeserialize: (bytes) => response.toObject(response.decode(bytes), CONVERSION),
  };
}

/** The methods of the service. */
export const methods: Readonly<Record<CallName, ClientMethod>> = Object.fromEntries(
  Object.entries(codecs(protobuf) as unknown as Record<CallName, Codec>)
    .map(([name, codec]) => [name, methodOf(name, codec)]),
) as Record<CallName, ClientMethod>;
