/** Server reflection: https://github.com/grpc/grpc/blob/master/doc/server-reflection.md */
import type { Server } from "@grpc/grpc-js";
import { fromJSON } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import type protobuf from "protobufjs";

/** Lets clients without the .proto files ask a server for what they say. */
export function addReflection(server: Server, roots: protobuf.Root[]): void {
  const packages = roots.map((root) => fromJSON(root.toJSON(), { keepCase: true }));
  new ReflectionService(Object.assign({}, ...packages)).addToServer(server);
}
