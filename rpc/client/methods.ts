/** The calls in the form of a client of grpc-js: method paths, and functions that encode requests and decode answers. */
import { Buffer } from "node:buffer";
// Without its types, because the functions for these messages are generated in advance. This is the library in one file:
// Deno takes half a millisecond for each of the 16 files of "protobufjs/minimal.js".
import protobuf from "protobufjs/dist/minimal/protobuf.js";
import type { CallName } from "../../proto/service.ts";
import { codecs } from "../../proto/teleport/v1/job_worker_codec.js";
import type { MessageMemory } from "../compat/sent_messages.ts";
import { CONVERSION, SERVICE_NAME } from "../shared/message_form.ts";

/** A method, as a client uses it. */
export interface ClientMethod {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  /** Encodes a request, in new memory or in that of a call. */
  readonly requestSerialize: (message: object, memory?: MessageMemory) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => object;
}

/** The generated functions of one call. */
interface Codec {
  readonly request: {
    fromObject(message: object): object;
    encode(message: object, writer?: unknown): { finish(): Uint8Array };
  };
  readonly response: {
    decode(bytes: Uint8Array): object;
    toObject(message: object, conversion: typeof CONVERSION): object;
  };
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}

/** Returns a writer that puts its message into the memory of a call. */
function writerInto(memory: MessageMemory): object {
  const writer = new protobuf.Writer();
  // finish() takes its memory from the class.
  return Object.assign(writer, { constructor: { alloc: (size: number) => memory.take(size) } });
}

function methodOf(name: string, { request, response, requestStream, responseStream }: Codec): ClientMethod {
  return {
    path: `/${SERVICE_NAME}/${name}`,
    requestStream,
    responseStream,
    requestSerialize: (message, memory) => {
      const bytes = request.encode(request.fromObject(message), memory && writerInto(memory)).finish();
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
