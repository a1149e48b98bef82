/** The standard health service, grpc.health.v1: https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
import protobuf from "protobufjs";
import definition from "../../proto/grpc/health/v1/health.proto" with { type: "text" };
import { type Methods, methodsOf } from "./definition.ts";

/** How a service says it is. */
export type ServingStatus = "UNKNOWN" | "SERVING" | "NOT_SERVING" | "SERVICE_UNKNOWN";

let root: protobuf.Root | undefined;

/** The parsed .proto, made when first asked for: most clients never ask. */
export function healthRoot(): protobuf.Root {
  if (root === undefined) {
    root = protobuf.parse(definition, { keepCase: true }).root;
    root.resolveAll();
  }
  return root;
}

/** The methods of the service. */
export function healthMethods(): Methods<"Check" | "List" | "Watch"> {
  return methodsOf(healthRoot(), "grpc.health.v1.Health") as Methods<"Check" | "List" | "Watch">;
}
