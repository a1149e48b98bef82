/** The service as grpc-js wants it: paths, and the functions between typed messages and bytes. */
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import protobuf from "protobufjs";
import definition from "../../proto/teleport/v1/job_worker.json" with { type: "json" };
import type { CallName } from "../../proto/service.ts";

/** The full name of the service. */
export const SERVICE_NAME = "teleport.v1.JobWorker";

// As the generated types say: 64-bit numbers as numbers, enums as their names, every field present but the optional
// ones, messages that were not sent null.
const CONVERSION = { longs: Number, enums: String, defaults: true };

// deno-lint-ignore no-explicit-any -- grpc-js takes the methods of a service as one record, whatever their messages
export type Method = MethodDefinition<any, any> & {
  /** The type of its requests, to check their bytes by. */
  readonly requestType: protobuf.Type;
};

/** The definition of one service, by method name. */
export type Methods<Name extends string = string> = Record<Name, Method> & ServiceDefinition;

function encoder(type: protobuf.Type): (message: object) => Buffer {
  return (message) => {
    const bytes = type.encode(type.fromObject(message)).finish();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}

/**
 * Messages of a stream from this size on are encoded where the one before was, for memory of this kind is collected late;
 * smaller ones get memory of their own, in which they can be kept.
 */
const MIN_SCRATCH_BYTES = 16_384;

let scratch = new Uint8Array();

class ScratchWriter extends protobuf.Writer {
  static override alloc(size: number): Uint8Array {
    if (size < MIN_SCRATCH_BYTES) return new Uint8Array(size);
    if (size > scratch.length) scratch = new Uint8Array(size);
    return scratch.subarray(0, size);
  }
}

/**
 * Encodes messages of streams. What is returned is to be used at once: the next large message may take its place. An
 * object that is sent more than once, such as a line of output that a thousand watchers get, is encoded once while it is
 * small; it must not be changed after it was first sent.
 */
function streamEncoder(type: protobuf.Type): (message: object) => Buffer {
  const encoded = new WeakMap<object, Buffer>();
  return (message) => {
    if (Buffer.isBuffer(message)) return message;
    const known = encoded.get(message);
    if (known) return known;
    const raw = type.encode(type.fromObject(message), new ScratchWriter()).finish();
    const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
    if (raw.buffer !== scratch.buffer) encoded.set(message, bytes);
    return bytes;
  };
}

/**
 * Encodes single answers. What is returned is to be used at once, as that of a stream. Bytes are taken as an answer that was
 * encoded before.
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

/** The methods of a service in a parsed .proto. */
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
