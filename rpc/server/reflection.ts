/**
 * Server reflection: https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
 *
 * `deno task generate` makes the descriptors of all files, which are embedded. Only the definition of reflection itself
 * is parsed here.
 */
import { type Server, status } from "@grpc/grpc-js";
import protobuf from "protobufjs";
import files from "../../proto/descriptors.json" with { type: "json" };
import definition from "../../proto/grpc/reflection/v1/reflection.proto" with { type: "text" };
import type { OpenCalls } from "./adapter/calls.ts";
import { bidiStreamingHandler } from "./adapter/bidi_streaming.ts";
import { type Method, methodsOf } from "../shared/definition.ts";
import { withRawRequests } from "./adapter/read_request.ts";

/** The two versions of the package. Their messages are the same. */
const PACKAGES = ["grpc.reflection.v1", "grpc.reflection.v1alpha"] as const;

const MAX_NAME_IN_ERROR = 200;

/** A request. It has exactly one field in addition to the host. */
interface Request {
  readonly file_by_filename?: string;
  readonly file_containing_symbol?: string;
  readonly file_containing_extension?: { readonly containing_type: string };
  readonly all_extension_numbers_of_type?: string;
}

type File = typeof files[number];

const byName: ReadonlyMap<string, File> = new Map(files.map((file) => [file.name, file]));
const bySymbol: ReadonlyMap<string, File> = new Map(
  files.flatMap((file) => file.symbols.map((symbol) => [symbol, file] as const)),
);

/**
 * Adds reflection to a server, from which clients get the content of the .proto files.
 *
 * @param services the full names of the other services of the server
 */
export function addReflection(server: Server, services: readonly string[], calls: OpenCalls): void {
  const reflected = PACKAGES.map((name) => `${name}.ServerReflection`);
  const served = [...services, ...reflected];
  for (const [at, name] of PACKAGES.entries()) {
    const text = definition.replace(`package ${PACKAGES[0]};`, `package ${name};`);
    const { root } = protobuf.parse(text, { keepCase: true });
    root.resolveAll();
    const method = methodsOf(root, reflected[at]!)["ServerReflectionInfo"] as Method;
    const answer = (request: Request) => ({
      valid_host: "",
      original_request: request,
      ...answerTo(request, served),
    });
    server.addService(
      { ServerReflectionInfo: withRawRequests(method) },
      { ServerReflectionInfo: bidiStreamingHandler(method, answer, calls) },
    );
  }
}

function answerTo(request: Request, services: readonly string[]): object {
  switch (Object.keys(request).find((name) => name !== "host")) {
    case "file_by_filename":
      return filesAnswer(byName.get(request.file_by_filename!), "file", request.file_by_filename!);
    case "file_containing_symbol":
      return filesAnswer(bySymbol.get(request.file_containing_symbol!), "symbol", request.file_containing_symbol!);
    case "list_services":
      return { list_services_response: { service: services.map((name) => ({ name })) } };
    case "all_extension_numbers_of_type": {
      const type = request.all_extension_numbers_of_type!;
      // Our files have no extensions.
      if (bySymbol.has(type)) return { all_extension_numbers_response: { base_type_name: type } };
      return notFound("type", type);
    }
    case "file_containing_extension":
      return notFound("extension of", request.file_containing_extension!.containing_type);
    default:
      return errorAnswer(status.INVALID_ARGUMENT, "The request has no question: set one field of 'message_request'");
  }
}

/** Returns a file and the files it imports. */
function filesAnswer(file: File | undefined, kind: string, name: string): object {
  if (file === undefined) return notFound(kind, name);
  const found = new Map<string, Uint8Array>();
  const add = ({ name, dependencies, base64 }: File) => {
    for (const dependency of dependencies) add(byName.get(dependency)!);
    found.set(name, Uint8Array.fromBase64(base64));
  };
  add(file);
  // The file itself comes first: some clients read only the first one.
  const [own, ...others] = [...found.values()].reverse();
  return { file_descriptor_response: { file_descriptor_proto: [own, ...others] } };
}

function notFound(kind: string, name: string): object {
  return errorAnswer(status.NOT_FOUND, `Unknown ${kind} ${JSON.stringify(name.slice(0, MAX_NAME_IN_ERROR))}`);
}

function errorAnswer(code: status, message: string): object {
  return { error_response: { error_code: code, error_message: message.toWellFormed() } };
}
