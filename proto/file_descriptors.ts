/**
 * Makes the descriptors of .proto files for server reflection, as protoc makes them:
 * google.protobuf.FileDescriptorProto.
 *
 * The extension of protobuf.js for it omits imports, and gives map entries wrong names.
 */
import protobuf from "protobufjs";
import { defined } from "../base/defined.ts";
import { ENUM, MESSAGE, NUMBER_OF_SCALAR, OPTIONAL, REPEATED, SCHEMA } from "./descriptor_schema.ts";

const FileType = protobuf.parse(SCHEMA, { keepCase: true }).root.lookupType("File");

/** A file with the facts that reflection needs. */
export interface DescribedFile {
  /** The name by which other files import it. */
  readonly name: string;
  readonly dependencies: readonly string[];
  /** The full names of its services, methods, messages, fields, enums and enum values. */
  readonly symbols: readonly string[];
  /** The FileDescriptorProto, in base64. */
  readonly base64: string;
}

/**
 * Describes a file.
 *
 * @param name the name by which other files import it
 * @param text the text of the file
 * @param imports the texts of the files it imports
 * @throws {Error} when a file uses a feature that ours do not, such as extensions and field options
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
    if (!(item instanceof protobuf.Type) && !(item instanceof protobuf.Enum)) refuse(item.fullName, "its members");
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

/** Describes the entry of a map: a message with a key and a value. */
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
  // A value is in the scope of the enum's parent, as in C++.
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

/** @param past 1 for messages, where the end of a range is exclusive; 0 for enums, where it is inclusive */
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

/** Returns the full name with its leading dot. */
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
  throw new Error(`Cannot describe ${what} of "${where}": add support for it`);
}
