/** Random messages for every call: mutated valid messages, and noise. The same seed gives the same bytes. */
import { Buffer } from "node:buffer";
import protobuf from "protobufjs";
import { type Method, methods, root } from "../../rpc/shared/definition.ts";
import type { Random } from "../support/random.ts";

/** A message for a call. */
export interface Fuzzed {
  /** The path of the call, such as `/teleport.v1.JobWorker/List`. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

const STRINGS = [
  "",
  "x",
  "true",
  "/",
  "\0",
  "é",
  "\u{1F600}",
  "\u202E",
  "SIGTERM",
  "9",
  "a=b",
  "../..",
  "x".repeat(5_000),
];
const NUMBERS = [0, 1, 2, 63, 64, 1_000, 2_147_483_647, 2_147_483_648, 4_294_967_295, -1, -2_147_483_648];

function value(field: protobuf.Field, random: Random, depth: number): unknown {
  field.resolve();
  if (field.resolvedType instanceof protobuf.Enum) return random.pick([0, 1, 2, 3, 7, 99, -1]);
  if (field.resolvedType instanceof protobuf.Type) return message(field.resolvedType, random, depth + 1);
  if (field.type === "string") return random.pick(STRINGS);
  if (field.type === "bytes") return new Uint8Array(random.below(300));
  if (field.type === "bool") return random.chance(0.5);
  if (field.type === "double") return random.pick([0, -1, 0.5, 1e308, NaN, Infinity]);
  // 64 bits beyond what a number of JavaScript holds.
  if (field.type.endsWith("64") && random.chance(0.2)) return protobuf.util.LongBits.from(2 ** 63).toLong(true);
  return random.pick(NUMBERS);
}

function message(type: protobuf.Type, random: Random, depth = 0): protobuf.Message {
  const properties: Record<string, unknown> = {};
  for (const field of type.fieldsArray) {
    if (random.chance(0.5)) continue;
    if (field instanceof protobuf.MapField) {
      properties[field.name] = Object.fromEntries(
        Array.from(
          { length: random.below(4) },
          () => [value(field, random, depth), value(field, random, depth)],
        ),
      );
    } else if (field.repeated) {
      properties[field.name] = Array.from({ length: random.below(5) }, () => value(field, random, depth));
    } else properties[field.name] = value(field, random, depth);
  }
  return type.create(properties);
}

function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  const result = Uint8Array.from(bytes);
  const times = 1 + random.below(4);
  for (let time = 0; time < times && result.length > 0; time++) {
    result[random.below(result.length)] = random.below(256);
  }
  const end = random.next();
  if (end < 0.2) return result.subarray(0, random.below(result.length));
  if (end < 0.4) return Buffer.concat([result, result]);
  return result;
}

/**
 * Makes a message.
 *
 * @param ids the ids of existing jobs, so that calls get further than NOT_FOUND
 */
export function randomMessage(random: Random, ids: readonly string[]): Fuzzed {
  const { path, requestType } = random.pick(Object.values(methods) as Method[]);
  const kind = random.next();
  if (kind < 0.25) return { path, bytes: random.bytes(random.below(200)) };
  const made = message(root.lookupType(requestType.fullName), random) as protobuf.Message & { id?: string };
  if ("id" in requestType.fields && random.chance(0.7)) made.id = random.pick(ids);
  const bytes = requestType.encode(made).finish();
  return { path, bytes: kind < 0.6 ? mutated(bytes, random) : bytes };
}
