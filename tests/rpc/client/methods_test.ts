/** Tests of rpc/client/methods.ts: the generated functions do the same as those that protobuf.js makes at run time. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import protobuf from "protobufjs/light.js";
import { methods } from "../../../rpc/client/methods.ts";
import type { CallName } from "../../../proto/service.ts";
import { methods as definition, root } from "../../../rpc/shared/definition.ts";

const names = Object.keys(definition) as CallName[];

/** Returns a value for a field without `repeated`. It differs from the default. */
function valueOf(field: protobuf.Field, depth: number): unknown {
  const { resolvedType } = field.resolve();
  if (resolvedType instanceof protobuf.Enum) return Object.keys(resolvedType.values).at(-1);
  if (resolvedType instanceof protobuf.Type) return messageOf(resolvedType, depth + 1);
  if (field.type === "string") return `${field.name} ü`;
  if (field.type === "bytes") return Buffer.from([0, field.id % 256, 255]);
  if (field.type === "bool") return true;
  if (field.type === "double") return 0.5;
  return field.type.endsWith("64") ? Number.MAX_SAFE_INTEGER - field.id : 2 ** 31 - 1 - field.id;
}

/** Returns a message with all of its fields, but for those of messages that contain themselves. */
function messageOf(type: protobuf.Type, depth = 0): Record<string, unknown> {
  if (depth > 4) return {};
  return Object.fromEntries(type.fieldsArray.map((field) => {
    const value = valueOf(field, depth);
    if (field.map) return [field.name, { "": value, key: value, ["__proto__"]: value }];
    return [field.name, field.repeated ? [value, value] : value];
  }));
}

const typeOf = (name: CallName, part: "requestType" | "responseType") => {
  const service = root.lookupService("teleport.v1.JobWorker");
  return root.lookupType(service.methods[name]![part]);
};

Deno.test("methods has every call of the service with its path and its streams", () => {
  assert.deepEqual(Object.keys(methods), names);
  for (const name of names) {
    const { path, requestStream, responseStream } = definition[name];
    const own = methods[name];
    assert.deepEqual([own.path, own.requestStream, own.responseStream], [path, requestStream, responseStream], name);
  }
});

Deno.test("requestSerialize() writes the bytes that protobuf.js writes", () => {
  for (const name of names) {
    for (const message of [{}, messageOf(typeOf(name, "requestType"))]) {
      assert.deepEqual(methods[name].requestSerialize(message), definition[name].requestSerialize(message), name);
    }
  }
});

Deno.test("requestSerialize() refuses a value of another type, as protobuf.js does", () => {
  for (const message of [{ args: "text" }, { env: 1 }, { rlimits: "text" }]) {
    for (const { Register } of [definition, methods]) {
      assert.throws(() => Register.requestSerialize(message), TypeError);
    }
  }
});

Deno.test("responseDeserialize() reads every field as protobuf.js does, and absent ones", () => {
  for (const name of names) {
    const type = typeOf(name, "responseType");
    for (const message of [{}, messageOf(type)]) {
      const bytes = Buffer.from(type.encode(type.fromObject(message)).finish());
      assert.deepEqual(methods[name].responseDeserialize(bytes), definition[name].responseDeserialize(bytes), name);
    }
  }
});

Deno.test("responseDeserialize() skips unknown fields and names, and throws on damaged bytes", () => {
  const read = methods.Status.responseDeserialize;
  // Field 2,000 as a number, and the state 99.
  const newer = Buffer.from([0x80, 0x7d, 0x01, 0x10, 0x63]);
  assert.deepEqual(read(newer), definition.Status.responseDeserialize(newer));
  // A number that does not end.
  assert.throws(() => read(Buffer.from([0x10, 0x80])), RangeError);
});
