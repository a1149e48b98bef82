/** The standard health service, grpc.health.v1: https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
import protobuf from "protobufjs/light.js";
import definition from "../../proto/grpc/health/v1/health.json" with { type: "json" };
import { type Methods, methodsOf } from "./definition.ts";

/** The status of a service. */
export type ServingStatus = "UNKNOWN" | "SERVING" | "NOT_SERVING" | "SERVICE_UNKNOWN";

let root: protobuf.Root | undefined;

/** Returns the definition. It is read at the first call, because most clients never use it. */
function healthRoot(): protobuf.Root {
  return root ??= protobuf.Root.fromJSON(definition as protobuf.INamespace);
}

/** Returns the methods of the service. */
export function healthMethods(): Methods<"Check" | "List" | "Watch"> {
  return methodsOf(healthRoot(), "grpc.health.v1.Health") as Methods<"Check" | "List" | "Watch">;
}
