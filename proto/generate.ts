// deno-lint-ignore-file no-console -- a tool for developers, which talks to them
/**
 * `deno task generate`: writes the files that are generated from the service definition. With `--check` it only reports
 * whether the committed files are up to date.
 *
 * - The TypeScript types, in one file without imports, so that every layer may use them. The generator of proto-loader
 *   writes 20 files, which import the types of gRPC.
 * - The definitions as JSON, which protobuf.js reads without parsing. This saves a twentieth of the time of `teleport`.
 * - The functions of the client for these messages, see client_codec.ts.
 * - The file descriptors for server reflection.
 */
import protobuf from "protobufjs";
import { clientCodec } from "./client_codec.ts";
import { describeFile } from "./file_descriptors.ts";

const source = new URL("./teleport/v1/job_worker.proto", import.meta.url);
const types = new URL("./teleport/v1/job_worker.ts", import.meta.url);
const definition = new URL("./teleport/v1/job_worker.json", import.meta.url);
const codec = new URL("./teleport/v1/job_worker_codec.js", import.meta.url);
const health = new URL("./grpc/health/v1/health.json", import.meta.url);
const descriptors = new URL("./descriptors.json", import.meta.url);

const scalars: Record<string, string> = {
  bool: "boolean",
  bytes: "Uint8Array",
  double: "number",
  int32: "number",
  string: "string",
  uint32: "number",
  uint64: "number",
};

function comment(text: string | null, indent: string): string {
  if (!text) return "";
  const lines = text.split("\n");
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}`).join("\n")}\n${indent} */\n`;
}

function typeName(name: string): string {
  if (name === "google.protobuf.Timestamp") return "Timestamp";
  const known = scalars[name];
  if (known === undefined && name.includes(".")) throw new Error(`Cannot map type "${name}": add it to the generator`);
  return known ?? name;
}

function field(f: protobuf.Field): string {
  f.resolve();
  let type = typeName(f.type);
  if (f instanceof protobuf.MapField) type = `Record<${typeName(f.keyType)}, ${type}>`;
  else if (f.repeated) type = `${type}[]`;
  else if (f.resolvedType instanceof protobuf.Type) type = `${type} | null`;
  const absent = f.partOf !== null ? "?" : "";
  return `${comment(f.comment, "  ")}  ${f.name}${absent}: ${type};\n`;
}

function generate(proto: string): { types: string; definition: string; codec: string } {
  const { root, package: packageName } = protobuf.parse(proto, {
    keepCase: true,
    alternateCommentMode: true,
    preferTrailingComment: false,
  });
  root.addJSON(protobuf.common.get("google/protobuf/timestamp.proto")?.nested ?? {});
  root.resolveAll();
  const namespace = root.lookup(packageName ?? "");
  if (!(namespace instanceof protobuf.Namespace)) throw new Error(`Cannot find package "${packageName}"`);
  let out = "// Generated from job_worker.proto by `deno task generate`. Do not edit.\n\n" +
    "/** A time in UTC, as google.protobuf.Timestamp: seconds since 1970, and nanoseconds of the second. */\n" +
    "export interface Timestamp {\n  seconds: number;\n  nanos: number;\n}\n";
  for (const item of namespace.nestedArray) {
    out += "\n";
    if (item instanceof protobuf.Enum) {
      const names = Object.keys(item.values).map((name) => `"${name}"`);
      out += `${comment(item.comment, "")}export type ${item.name} =\n${names.map((n) => `  | ${n}`).join("\n")};\n`;
    } else if (item instanceof protobuf.Type) {
      const fields = item.fieldsArray.map(field).join("");
      out += fields === ""
        ? `${comment(item.comment, "")}export type ${item.name} = Record<string, never>;\n`
        : `${comment(item.comment, "")}export interface ${item.name} {\n${fields}}\n`;
    } else if (item instanceof protobuf.Service) {
      const methods = item.methodsArray.map((m) =>
        `${comment(m.comment, "  ")}  ${m.name}: { request: ${m.requestType}; response: ${m.responseType}; ` +
        `stream: ${Boolean(m.responseStream)}${m.requestStream ? "; requestStream: true" : ""} };\n`
      ).join("");
      out +=
        `/** The calls of the service ${item.name}: the request and answer of each, and which of them are streams. */\n` +
        `export interface ${item.name}Calls {\n${methods}}\n`;
    }
  }
  return {
    types: out,
    definition: `${JSON.stringify(root.toJSON(), undefined, 2)}\n`,
    codec: clientCodec(root, `${packageName}.JobWorker`),
  };
}

/** The file of Google, with the options that other programs expect. */
const TIMESTAMP = `
syntax = "proto3";
package google.protobuf;
option cc_enable_arenas = true;
option go_package = "google.golang.org/protobuf/types/known/timestamppb";
option java_package = "com.google.protobuf";
option java_outer_classname = "TimestampProto";
option java_multiple_files = true;
option objc_class_prefix = "GPB";
option csharp_namespace = "Google.Protobuf.WellKnownTypes";
message Timestamp { int64 seconds = 1; int32 nanos = 2; }`;

const read = (name: string) => Deno.readTextFile(new URL(`./${name}`, import.meta.url));

/** Returns the definition of a file without imports, as JSON. */
function definitionOf(proto: string): string {
  return `${JSON.stringify(protobuf.parse(proto, { keepCase: true }).root.toJSON(), null, 2)}\n`;
}

/** Returns the descriptors of all files of the server's services, as JSON. */
async function describeAll(): Promise<string> {
  const [jobWorker, health, reflection] = await Promise.all([
    read("teleport/v1/job_worker.proto"),
    read("grpc/health/v1/health.proto"),
    read("grpc/reflection/v1/reflection.proto"),
  ]);
  const files = [
    describeFile("google/protobuf/timestamp.proto", TIMESTAMP, []),
    describeFile("teleport/v1/job_worker.proto", jobWorker, [TIMESTAMP]),
    describeFile("grpc/health/v1/health.proto", health, []),
    describeFile("grpc/reflection/v1/reflection.proto", reflection, []),
    describeFile(
      "grpc/reflection/v1alpha/reflection.proto",
      reflection.replace("package grpc.reflection.v1;", "package grpc.reflection.v1alpha;"),
      [],
    ),
  ];
  return `${JSON.stringify(files, undefined, 2)}\n`;
}

const wanted = generate(await Deno.readTextFile(source));
const files = [
  [types, wanted.types],
  [definition, wanted.definition],
  [codec, wanted.codec],
  [health, definitionOf(await read("grpc/health/v1/health.proto"))],
  [descriptors, await describeAll()],
] as const;
for (const [file, text] of files) {
  if (!Deno.args.includes("--check")) {
    await Deno.writeTextFile(file, text);
  } else if (await Deno.readTextFile(file).catch(() => "") !== text) {
    const name = file.pathname.split("/").at(-1);
    console.error(`"${name}" differs from the .proto files: run "deno task generate" and commit the result`);
    Deno.exit(1);
  }
}
