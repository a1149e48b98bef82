/** Tests of rpc/server/limits/field_limits.ts and request_check.ts. */
import assert from "node:assert/strict";
import protobuf from "protobufjs";
import { type Method, methods } from "../../../../rpc/shared/definition.ts";
import { FIELD_LIMITS } from "../../../../rpc/server/limits/field_limits.ts";
import { requestReader } from "../../../../rpc/server/adapter/read_request.ts";

/** Returns all message types of requests. */
function requestTypes(): Set<protobuf.Type> {
  const types = new Set<protobuf.Type>();
  const add = (type: protobuf.Type) => {
    if (types.has(type) || type.fullName.startsWith(".google.")) return;
    types.add(type);
    for (const field of type.fieldsArray) {
      if (field.resolve().resolvedType instanceof protobuf.Type) add(field.resolvedType as protobuf.Type);
    }
  };
  for (const { requestType } of Object.values(methods) as Method[]) add(requestType);
  return types;
}

Deno.test("FIELD_LIMITS has every string, bytes, map and repeated field of every request", () => {
  for (const type of requestTypes()) {
    for (const field of type.fieldsArray) {
      const limit = FIELD_LIMITS[type.name]?.[field.name];
      const isMany = field.repeated || field instanceof protobuf.MapField;
      const isLong = field.type === "string" || field.type === "bytes";
      assert.equal(limit?.maxCount !== undefined, isMany, `${type.name}.${field.name}: entries`);
      assert.equal(limit?.maxBytes !== undefined, isLong, `${type.name}.${field.name}: bytes`);
    }
  }
});

Deno.test("FIELD_LIMITS has only fields of requests", () => {
  const names = new Map([...requestTypes()].map((type) => [type.name, type]));
  for (const [type, fields] of Object.entries(FIELD_LIMITS)) {
    for (const field of Object.keys(fields)) assert.ok(names.get(type)?.fields[field], `${type}.${field}`);
  }
});

Deno.test("requestReader() accepts packed, repeated, reordered and unknown fields", () => {
  const read = requestReader(methods.List as Method);
  const bytes = (...numbers: number[]) => new Uint8Array(numbers) as never;
  assert.deepEqual((read(bytes(10, 2, 1, 3)) as { states: string[] }).states, ["STATE_INITIAL", "STATE_RUNNING"]);
  assert.deepEqual((read(bytes(8, 1, 8, 3)) as { states: string[] }).states, ["STATE_INITIAL", "STATE_RUNNING"]);
  assert.equal((read(bytes(18, 1, 97, 18, 2, 0xc3, 0xa9)) as { owner: string }).owner, "é");
  assert.equal((read(bytes(0xfa, 0x7f, 1, 0, 32, 5)) as { page_size: number }).page_size, 5);
});
