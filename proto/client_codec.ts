/**
 * Writes the functions with which a client encodes requests and decodes answers.
 *
 * They are those that protobuf.js generates of each type. It does so at run time, when a type is first used, and start-up
 * time counts.
 *
 * Source: protobufjs/src/type.js, `Type.prototype.setup`
 */
import protobuf from "protobufjs";

/** A function of protobuf.js that generates the text of a function. */
type Generator = (type: protobuf.Type) => { toString(): string };

const TO_BYTES: Readonly<Record<string, Generator>> = {
  fromObject: protobuf.converter.fromObject,
  encode: protobuf.encoder,
};
const FROM_BYTES: Readonly<Record<string, Generator>> = {
  decode: protobuf.decoder,
  toObject: protobuf.converter.toObject,
};

/** Returns the file, as JavaScript. */
export function clientCodec(root: protobuf.Root, serviceName: string): string {
  const methods = root.lookupService(serviceName).methodsArray.map((method) => ({
    method,
    request: root.lookupType(method.requestType),
    response: root.lookupType(method.responseType),
  }));
  const sent = withParts(methods.map(({ request }) => request));
  const received = withParts(methods.map(({ response }) => response));
  const all = new Set([...sent, ...received]);
  const enums = [...all].filter((type) => type instanceof protobuf.Enum);
  const types = [...all].filter((type) => type instanceof protobuf.Type);
  return [
    "// Generated from job_worker.proto by `deno task generate`. Do not edit.",
    "// deno-fmt-ignore-file",
    "// deno-lint-ignore-file",
    "/** Returns the functions of each call's messages, which protobuf.js has generated. Takes protobuf.js. */",
    "export function codecs({ Reader, Writer, util }) {",
    ...enums.map(({ name, valuesById }) => `const ${name} = { values: ${JSON.stringify(valuesById)} };`),
    ...types.map((type) => `const ${type.name} = { ctor: ${protobuf.Type.generateConstructor(type)} };`),
    ...types.map((type) =>
      functions(type, { ...sent.has(type) ? TO_BYTES : {}, ...received.has(type) ? FROM_BYTES : {} })
    ),
    "return {",
    ...methods.map(({ method: { name, requestStream, responseStream }, request, response }) =>
      `${name}: { request: ${request.name}, response: ${response.name}, ` +
      `requestStream: ${requestStream ?? false}, responseStream: ${responseStream ?? false} },`
    ),
    "};",
    "}",
    "",
  ].join("\n");
}

/** Returns types with the types of their fields, and of the fields of those. */
function withParts(types: readonly protobuf.Type[]): ReadonlySet<protobuf.ReflectionObject> {
  const found = new Set<protobuf.ReflectionObject>(types);
  // A set that grows is iterated to its new end.
  for (const type of found) {
    if (!(type instanceof protobuf.Type)) continue;
    for (const field of type.fieldsArray) {
      const part = field.resolve().resolvedType;
      if (part !== null) found.add(part);
    }
  }
  return found;
}

/** Returns a block that adds the functions to a type. They refer to other types by the index of their field. */
function functions(type: protobuf.Type, generators: Readonly<Record<string, Generator>>): string {
  const parts = type.fieldsArray.map((field) => field.resolve().resolvedType?.name ?? "null");
  const lines = Object.entries(generators).map(([name, generate]) => `${type.name}.${name} = ${generate(type)};`);
  return `{\nconst types = [${parts.join(", ")}];\n${lines.join("\n")}\n}`;
}
