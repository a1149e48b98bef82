/**
 * Checks the fields of a request against their limits, in its wire format and before it is decoded. To decode 4,000,000
 * numbers in 4 MB would block the event loop for seconds.
 *
 * Source: https://protobuf.dev/programming-guides/encoding/
 */
import { type Buffer, isUtf8 } from "node:buffer";
import protobuf from "protobufjs";
import { InvalidArgumentError, LimitReachedError } from "../../../mod.ts";
import {
  FIELD_LIMITS,
  type FieldLimit,
  MAX_REPEATS_OF_SINGLE_FIELD,
  MAX_UNKNOWN_BYTES,
  MAX_UNKNOWN_FIELDS,
  maxMessageBytes,
} from "./field_limits.ts";

const enum Wire {
  varint = 0,
  fixed64 = 1,
  bytes = 2,
  fixed32 = 5,
}

/** The rules for one field. */
interface FieldPlan {
  readonly index: number;
  readonly name: string;
  readonly wire: Wire;
  readonly isRepeated: boolean;
  readonly isString: boolean;
  readonly maxCount: number;
  readonly maxBytes: number;
  /** The rules for a message, or for an entry of a map. Undefined for other fields. */
  readonly message: MessagePlan | undefined;
}

/** The rules for one message. */
interface MessagePlan {
  readonly name: string;
  readonly maxBytes: number;
  readonly fields: ReadonlyMap<number, FieldPlan>;
  /** How often each field appeared. One check uses it at a time, because no message of the service contains itself. */
  readonly counts: Uint32Array;
}

/** The limit of strings of services outside the table, such as health. */
const OTHER_STRING_BYTES = 4_096;

const plans = new WeakMap<protobuf.Type, MessagePlan>();

/**
 * Returns a function that checks the bytes of a message.
 *
 * The function throws a LimitReachedError above a limit, and an InvalidArgumentError for bytes that are not a valid
 * message.
 */
export function requestCheck(type: protobuf.Type): (bytes: Buffer) => void {
  const plan = planOf(type);
  return (bytes) => {
    if (bytes.length > plan.maxBytes) {
      throw new LimitReachedError(`The request must have at most ${plan.maxBytes} bytes, got ${bytes.length}`);
    }
    check(plan, bytes, 0, bytes.length);
  };
}

function planOf(type: protobuf.Type): MessagePlan {
  const known = plans.get(type);
  if (known !== undefined) return known;
  const limits = FIELD_LIMITS[type.name] ?? {};
  const fields = new Map<number, FieldPlan>();
  const plan = {
    name: type.name,
    maxBytes: maxMessageBytes(type.name),
    fields,
    counts: new Uint32Array(type.fieldsArray.length),
  };
  plans.set(type, plan);
  type.fieldsArray.forEach((field, index) => fields.set(field.id, fieldPlan(field, index, limits[field.name])));
  return plan;
}

function fieldPlan(field: protobuf.Field, index: number, limit: FieldLimit = {}): FieldPlan {
  field.resolve();
  const isMap = field instanceof protobuf.MapField;
  const maxBytes = limit.maxBytes ?? OTHER_STRING_BYTES;
  const inner = field.resolvedType;
  return {
    index,
    name: field.name,
    wire: isMap || inner instanceof protobuf.Type ? Wire.bytes : wireOf(inner === null ? field.type : "int32"),
    isRepeated: isMap || field.repeated,
    isString: field.type === "string" && !isMap,
    // protobuf merges the messages of a single field, so their repeated fields would add up.
    maxCount: isMap || field.repeated
      ? limit.maxCount ?? 0
      : inner instanceof protobuf.Type
      ? 1
      : MAX_REPEATS_OF_SINGLE_FIELD,
    maxBytes: isMap ? Infinity : maxBytes,
    message: isMap ? entryPlan(field, maxBytes) : inner instanceof protobuf.Type ? planOf(inner) : undefined,
  };
}

/** Returns the rules for an entry of a map: a message with a key and a value. All maps of the service hold strings. */
function entryPlan(field: protobuf.MapField, maxBytes: number): MessagePlan {
  if (field.keyType !== "string" || field.type !== "string") {
    throw new Error(`Cannot check "${field.name}": it is not a map of strings`);
  }
  const shared = { wire: Wire.bytes, isRepeated: false, isString: true, maxBytes, message: undefined };
  const maxCount = MAX_REPEATS_OF_SINGLE_FIELD;
  return {
    name: field.name,
    maxBytes: Infinity,
    counts: new Uint32Array(2),
    fields: new Map([
      [1, { ...shared, index: 0, name: `${field.name}.key`, maxCount }],
      [2, { ...shared, index: 1, name: `${field.name}.value`, maxCount }],
    ]),
  };
}

function wireOf(type: string): Wire {
  if (type === "string" || type === "bytes") return Wire.bytes;
  if (type === "double" || type === "fixed64" || type === "sfixed64") return Wire.fixed64;
  return type === "float" || type === "fixed32" || type === "sfixed32" ? Wire.fixed32 : Wire.varint;
}

function malformed(plan: MessagePlan): InvalidArgumentError {
  return new InvalidArgumentError(`The request is not a valid protobuf message: cannot read ${plan.name}`);
}

/** Checks the bytes of one message. */
function check(plan: MessagePlan, bytes: Uint8Array, start: number, end: number): void {
  const counts = plan.counts.fill(0);
  let unknownFields = 0;
  let unknownBytes = 0;
  let at = start;
  while (at < end) {
    const began = at;
    let tag = 0;
    for (let shift = 0;; shift += 7) {
      if (at >= end || shift > 28) throw malformed(plan);
      const byte = bytes[at++]!;
      tag += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    const wire = tag % 8;
    const number = Math.floor(tag / 8);
    if (number === 0 || number > 536_870_911) throw malformed(plan);
    let valueStart = at;
    if (wire === Wire.varint) at = afterVarint(plan, bytes, at, end);
    else if (wire === Wire.fixed64) at += 8;
    else if (wire === Wire.fixed32) at += 4;
    else if (wire === Wire.bytes) {
      let length = 0;
      for (let shift = 0;; shift += 7) {
        if (at >= end || shift > 28) throw malformed(plan);
        const byte = bytes[at++]!;
        length += (byte & 0x7f) * 2 ** shift;
        if (byte < 0x80) break;
      }
      valueStart = at;
      at += length;
    } // Groups exist only in proto2. Unknown groups could be nested without a limit.
    else throw malformed(plan);
    if (at > end) throw malformed(plan);
    const field = plan.fields.get(number);
    if (field === undefined) {
      unknownFields += 1;
      unknownBytes += at - began;
      if (unknownFields > MAX_UNKNOWN_FIELDS || unknownBytes > MAX_UNKNOWN_BYTES) {
        throw new LimitReachedError(
          `The request must have at most ${MAX_UNKNOWN_FIELDS} unknown fields of ${MAX_UNKNOWN_BYTES} bytes in all`,
        );
      }
      continue;
    }
    const isPacked = wire !== field.wire && wire === Wire.bytes && field.isRepeated;
    if (wire !== field.wire && !isPacked) throw malformed(plan);
    const count = isPacked ? packedCount(plan, field, bytes, valueStart, at) : 1;
    if ((counts[field.index]! += count) > field.maxCount) {
      if (!field.isRepeated) throw malformed(plan);
      throw new LimitReachedError(
        `'${field.name}' must have at most ${field.maxCount} entries, got ${counts[field.index]} or more`,
      );
    }
    if (wire !== Wire.bytes || isPacked) continue;
    if (field.message !== undefined) check(field.message, bytes, valueStart, at);
    else if (at - valueStart > field.maxBytes) {
      throw new LimitReachedError(`'${field.name}' must have at most ${field.maxBytes} bytes, got ${at - valueStart}`);
    } else if (field.isString && !isText(bytes, valueStart, at)) {
      // To decode the string would replace the bytes, and the server would run another command than requested.
      throw new InvalidArgumentError(`'${field.name}' must be UTF-8: its bytes are not valid UTF-8`);
    }
  }
}

function afterVarint(plan: MessagePlan, bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end && at < start + 10; at++) if (bytes[at]! < 0x80) return at + 1;
  throw malformed(plan);
}

/** Returns how many numbers a packed field holds. Stops to count above its limit. */
function packedCount(plan: MessagePlan, field: FieldPlan, bytes: Uint8Array, start: number, end: number): number {
  if (field.wire === Wire.fixed32) return Math.ceil((end - start) / 4);
  if (field.wire === Wire.fixed64) return Math.ceil((end - start) / 8);
  let count = 0;
  for (let at = start; at < end && count <= field.maxCount; count++) at = afterVarint(plan, bytes, at, end);
  return count;
}

function isText(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at]! > 0x7f) return isUtf8(bytes.subarray(start, end));
  return true;
}
