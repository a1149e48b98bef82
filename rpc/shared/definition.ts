/** The service in the form of grpc-js: method paths, and functions that encode and decode messages. */
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
// Without the parser of .proto files, because start-up time counts.
import protobuf from "protobufjs/light.js";
import definition from "../../proto/teleport/v1/job_worker.json" with { type: "json" };
import type { CallName } from "../../proto/service.ts";
import { CONVERSION, SERVICE_NAME } from "./message_form.ts";

/** A method, with the type of its requests. */
// deno-lint-ignore no-explicit-any -- grpc-js takes the methods of a service as one record, whatever their messages
export type Method = MethodDefinition<any, any> & {
  /** The type of the requests, for the check of their bytes. */
  readonly requestType: protobuf.Type;
};

/** The methods of one service, by name. */
export type Methods<Name extends string = string> = Record<Name, Method> & ServiceDefinition;

function encoder(type: protobuf.Type): (message: object) => Buffer {
  return (message) => {
    const bytes = type.encode(type.fromObject(message)).finish();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}

/**
 * Messages of this size or larger share one buffer, because V8 collects such memory late. A smaller message gets its
 * own memory, so that its bytes can be kept.
 */
const MIN_SCRATCH_BYTES = 16_384;

/** A flag and a length come before each message. Source: gRPC over HTTP2, Length-Prefixed-Message */
const FRAME_HEAD_BYTES = 5;

let scratch: Uint8Array = new Uint8Array();

class ScratchWriter extends protobuf.Writer {
  static override alloc(size: number): Uint8Array {
    if (size < MIN_SCRATCH_BYTES) return new Uint8Array(size);
    // A frame that had the whole buffer would be freed after it was sent.
    if (FRAME_HEAD_BYTES + size >= scratch.length) scratch = new Uint8Array(FRAME_HEAD_BYTES + size + 1);
    return scratch.subarray(FRAME_HEAD_BYTES, FRAME_HEAD_BYTES + size);
  }
}

/**
 * Returns the gRPC frame of a message that shares the buffer, without a copy. The caller must use it at once. Undefined
 * for a message with its own memory.
 */
export function sharedFrame(message: Uint8Array): Buffer | undefined {
  if (message.buffer !== scratch.buffer) return undefined;
  const frame = Buffer.from(scratch.buffer, 0, FRAME_HEAD_BYTES + message.length);
  frame.writeUInt8(0, 0);
  frame.writeUInt32BE(message.length, 1);
  return frame;
}

/**
 * Returns a function that encodes messages of a stream. The caller must use the bytes at once, because the next large
 * message may overwrite them.
 *
 * A small object that is sent more than once is encoded once, such as a line of output for a thousand watchers. It must
 * not change after it was first sent.
 */
function streamEncoder(type: protobuf.Type): (message: object) => Buffer {
  const encoded = new WeakMap<object, Buffer>();
  return (message) => {
    if (Buffer.isBuffer(message)) return message;
    const cached = encoded.get(message);
    if (cached) return cached;
    const raw = type.encode(type.fromObject(message), new ScratchWriter()).finish();
    const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
    if (raw.buffer !== scratch.buffer) encoded.set(message, bytes);
    return bytes;
  };
}

/**
 * Returns a function that encodes single answers. The caller must use the bytes at once, as with a stream. A Buffer
 * counts as an answer that is already encoded.
 */
function answerEncoder(type: protobuf.Type): (message: object) => Buffer {
  return (message) => {
    if (Buffer.isBuffer(message)) return message;
    const raw = type.encode(type.fromObject(message), new ScratchWriter()).finish();
    return Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  };
}

function decoder(type: protobuf.Type): (bytes: Buffer) => object {
  return (bytes) => type.toObject(type.decode(bytes), CONVERSION);
}

/** Returns the methods of a service in a parsed .proto file. */
export function methodsOf(root: protobuf.Root, serviceName: string): Methods {
  const methods: Record<string, Method> = {};
  for (const method of root.lookupService(serviceName).methodsArray) {
    const request = root.lookupType(method.requestType);
    const response = root.lookupType(method.responseType);
    methods[method.name] = {
      path: `/${serviceName}/${method.name}`,
      requestType: request,
      requestStream: method.requestStream ?? false,
      responseStream: method.responseStream ?? false,
      requestSerialize: encoder(request),
      requestDeserialize: decoder(request),
      responseSerialize: method.responseStream ? streamEncoder(response) : answerEncoder(response),
      responseDeserialize: decoder(response),
    };
  }
  return methods;
}

/** The definition of the service. */
export const root: protobuf.Root = protobuf.Root.fromJSON(definition as protobuf.INamespace);

/** The methods of the service. */
export const methods: Methods<CallName> = methodsOf(root, SERVICE_NAME) as Methods<CallName>;
