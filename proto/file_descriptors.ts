/**
 * Describes .proto files as protoc does, for server reflection: google.protobuf.FileDescriptorProto. protobuf.js has an
 * extension for it, but that knows no imports and gives the entries of maps wrong names.
 *
 * Source: https://github.com/protocolbuffers/protobuf/blob/main/src/google/protobuf/descriptor.proto
 */
import protobuf from "protobufjs";
import { defined } from "../base/defined.ts";

/** As much of descriptor.proto as is used here. */
const SCHEMA = `
syntax = "proto2";
message File {
  optional string name = 1;
  optional string package = 2;
  repeated string dependency = 3;
  repeated Message message_type = 4;
  repeated Enum enum_type = 5;
  repeated Service service = 6;
  optional FileOptions options = 8;
  optional string syntax = 12;
}
message FileOptions {
  optional string java_package = 1;
  optional string java_outer_classname = 8;
  optional bool java_multiple_files = 10;
  optional string go_package = 11;
  optional bool cc_enable_arenas = 31;
  optional string objc_class_prefix = 36;
  optional string csharp_namespace = 37;
}
message Message {
  optional string name = 1;
  repeated Field field = 2;
  repeated Message nested_type = 3;
  repeated Enum enum_type = 4;
  optional MessageOptions options = 7;
  repeated Oneof oneof_decl = 8;
  repeated Range reserved_range = 9;
  repeated string reserved_name = 10;
}
message MessageOptions { optional bool map_entry = 7; }
message Range { optional int32 start = 1; optional int32 end = 2; }
message Field {
  optional string name = 1;
  optional int32 number = 3;
  optional int32 label = 4;
  optional int32 type = 5;
  optional string type_name = 6;
  optional int32 oneof_index = 9;
  optional string json_name = 10;
  optional bool proto3_optional = 17;
}
message Oneof { optional string name = 1; }
message Enum {
  optional string name = 1;
  repeated EnumValue value = 2;
  repeated Range reserved_range = 4;
  repeated string reserved_name = 5;
}
message EnumValue { optional string name = 1; optional int32 number = 2; }
message Service { optional string name = 1; repeated Method method = 2; }
message Method {
  optional string name = 1;
  optional string input_type = 2;
  optional string output_type = 3;
  optional bool client_streaming = 5;
  optional bool server_streaming = 6;
}`;

const FileType = protobuf.parse(SCHEMA, { keepCase: true }).root.lookupType("File");

const SCALARS = [
  ["double", 1],
  ["float", 2],
  ["int64", 3],
  ["uint64", 4],
  ["int32", 5],
  ["fixed64", 6],
  ["fixed32", 7],
  ["bool", 8],
  ["string", 9],
  ["bytes", 12],
  ["uint32", 13],
  ["sfixed32", 15],
  ["sfixed64", 16],
  ["sint32", 17],
  ["sint64", 18],
] as const;
const NUMBER_OF_SCALAR: ReadonlyMap<string, number> = new Map(SCALARS);
const MESSAGE = 11;
const ENUM = 14;
const OPTIONAL = 1;
const REPEATED = 3;

/** A file with what reflection must know of it. */
export interface DescribedFile {
  /** As other files import it. */
  readonly name: string;
  readonly dependencies: readonly string[];
  /** The full name of everything in it: services, methods, messages, fields, enums and their values. */
  readonly symbols: readonly string[];
  /** Its FileDescriptorProto, in base64. */
  readonly base64: string;
}

/**
 * Describes a file.
 *
 * @param imports the texts of the files that it imports
 * @throws {Error} for what no file has used so far, such as extensions and options of fields
 */
export function describeFile(name: string, text: string, imports: readonly string[]): DescribedFile {
  const { package: packageName = "", imports: dependencies = [], root } = protobuf.parse(text, { keepCase: true });
  const own = root.lookup(packageName ?? "");
  if (!(own instanceof protobuf.Namespace)) throw new Error(`Cannot describe "${name}": it has no package`);
  for (const imported of imports) protobuf.parse(imported, root, { keepCase: true });
  root.resolveAll();
  const symbols: string[] = [];
  const items = own.nestedArray;
  const file = {
    name,
    package: packageName,
    dependency: dependencies,
    message_type: items.filter((item) => item instanceof protobuf.Type).map((item) => describeMessage(item, symbols)),
    enum_type: items.filter((item) => item instanceof protobuf.Enum).map((item) => describeEnum(item, symbols)),
    service: items.filter((item) => item instanceof protobuf.Service).map((item) => describeService(item, symbols)),
    ...(own.options && { options: own.options }),
    syntax: "proto3",
  };
  const bytes = FileType.encode(FileType.fromObject(file)).finish();
  return { name, dependencies, symbols, base64: bytes.toBase64() };
}

function describeMessage(type: protobuf.Type, symbols: string[]): object {
  symbols.push(fullName(type));
  const oneofs = type.oneofsArray.filter((oneof) => !isSynthetic(oneof));
  const optionals = type.fieldsArray.filter((field) => field.partOf !== null && isSynthetic(field.partOf));
  const indexOf = (field: protobuf.Field) =>
    optionals.includes(field)
      ? oneofs.length + optionals.indexOf(field)
      : field.partOf === null
      ? undefined
      : oneofs.indexOf(field.partOf);
  const maps = type.fieldsArray.filter((field) => field instanceof protobuf.MapField);
  for (const item of type.nestedArray) {
    if (!(item instanceof protobuf.Type) && !(item instanceof protobuf.Enum)) refuse(item.fullName, "what is in it");
  }
  return {
    name: type.name,
    field: type.fieldsArray.map((field) => {
      symbols.push(fullName(field));
      return describeField(field, indexOf(field), optionals.includes(field));
    }),
    nested_type: [
      ...type.nestedArray.filter((item) => item instanceof protobuf.Type).map((item) => describeMessage(item, symbols)),
      ...maps.map((field) => describeEntry(field, symbols)),
    ],
    enum_type: type.nestedArray.filter((item) => item instanceof protobuf.Enum).map((item) =>
      describeEnum(item, symbols)
    ),
    oneof_decl: [...oneofs, ...optionals.map(({ name }) => ({ name: `_${name}` }))].map(({ name }) => ({ name })),
    ...reserved(type.reserved, 1),
  };
}

function describeField(field: protobuf.Field, oneofIndex: number | undefined, isOptional: boolean): object {
  const options = Object.keys(field.options ?? {}).filter((name) => name !== "proto3_optional");
  if (options.length > 0) refuse(field.fullName, `option "${options[0]}"`);
  const type = field instanceof protobuf.MapField
    ? { type: MESSAGE, type_name: `${fullTypeName(field.parent!)}.${entryName(field.name)}` }
    : typeOf(field);
  return {
    name: field.name,
    number: field.id,
    label: field.repeated || field instanceof protobuf.MapField ? REPEATED : OPTIONAL,
    ...type,
    ...defined({ oneof_index: oneofIndex }),
    json_name: jsonName(field.name),
    ...(isOptional ? { proto3_optional: true } : {}),
  };
}

/** A map is a list of messages with a key and a value. */
function describeEntry(field: protobuf.MapField, symbols: string[]): object {
  const name = `${fullName(field.parent!)}.${entryName(field.name)}`;
  symbols.push(name, `${name}.key`, `${name}.value`);
  const key = { type: NUMBER_OF_SCALAR.get(field.keyType) };
  return {
    name: entryName(field.name),
    field: [
      { name: "key", number: 1, label: OPTIONAL, ...key, json_name: "key" },
      { name: "value", number: 2, label: OPTIONAL, ...typeOf(field), json_name: "value" },
    ],
    options: { map_entry: true },
  };
}

function describeEnum(
  { name, values, reserved: gone, fullName: full, parent }: protobuf.Enum,
  symbols: string[],
): object {
  symbols.push(full.slice(1));
  // A value is in the scope of its enum's parent, as in C++.
  for (const value of Object.keys(values)) symbols.push(`${fullTypeName(parent!).slice(1)}.${value}`);
  return {
    name,
    value: Object.entries(values).map(([value, number]) => ({ name: value, number })),
    ...reserved(gone, 0),
  };
}

function describeService(service: protobuf.Service, symbols: string[]): object {
  symbols.push(fullName(service));
  return {
    name: service.name,
    method: service.methodsArray.map((method) => {
      symbols.push(fullName(method));
      method.resolve();
      return {
        name: method.name,
        input_type: fullTypeName(method.resolvedRequestType!),
        output_type: fullTypeName(method.resolvedResponseType!),
        ...(method.requestStream ? { client_streaming: true } : {}),
        ...(method.responseStream ? { server_streaming: true } : {}),
      };
    }),
  };
}

function typeOf(field: protobuf.FieldBase): object {
  const scalar = NUMBER_OF_SCALAR.get(field.type);
  if (scalar !== undefined) return { type: scalar };
  if (field.resolvedType === null) refuse(field.fullName, `type "${field.type}"`);
  const type = field.resolvedType instanceof protobuf.Enum ? ENUM : MESSAGE;
  return { type, type_name: fullTypeName(field.resolvedType!) };
}

/** @param past 1 where the end of a range is the number after its last: of messages, but not of enums */
function reserved(items: (number[] | string)[] | undefined, past: number): object {
  const ranges = (items ?? []).filter((item) => typeof item !== "string");
  return {
    reserved_range: ranges.map(([start = 0, end = 0]) => ({ start, end: end + past })),
    reserved_name: (items ?? []).filter((item) => typeof item === "string"),
  };
}

function isSynthetic(oneof: protobuf.OneOf): boolean {
  return oneof.fieldsArray.length === 1 && oneof.fieldsArray[0]!.options?.["proto3_optional"] === true;
}

function fullName({ fullName }: protobuf.ReflectionObject): string {
  return fullName.slice(1);
}

/** With the dot in front that says that it is complete. */
function fullTypeName({ fullName }: protobuf.ReflectionObject): string {
  return fullName;
}

function entryName(field: string): string {
  return `${field.replace(/(?:^|_)([a-z])/g, (_, letter) => letter.toUpperCase()).replaceAll("_", "")}Entry`;
}

function jsonName(field: string): string {
  return field.replace(/_+([A-Za-z0-9])/g, (_, letter) => letter.toUpperCase());
}

function refuse(where: string, what: string): never {
  throw new Error(`Cannot describe ${what} of "${where}": add it to the generator`);
}
