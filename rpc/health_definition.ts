/** The standard health service, grpc.health.v1: https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
import protobuf from "protobufjs";
import { type Methods, methodsOf } from "./definition.ts";

const PROTO = `
syntax = "proto3";
package grpc.health.v1;
message HealthCheckRequest { string service = 1; }
message HealthCheckResponse {
  enum ServingStatus { UNKNOWN = 0; SERVING = 1; NOT_SERVING = 2; SERVICE_UNKNOWN = 3; }
  ServingStatus status = 1;
}
message HealthListRequest {}
message HealthListResponse { map<string, HealthCheckResponse> statuses = 1; }
service Health {
  rpc Check(HealthCheckRequest) returns (HealthCheckResponse);
  rpc List(HealthListRequest) returns (HealthListResponse);
  rpc Watch(HealthCheckRequest) returns (stream HealthCheckResponse);
}`;

/** How a service says it is. */
export type ServingStatus = "UNKNOWN" | "SERVING" | "NOT_SERVING" | "SERVICE_UNKNOWN";

let root: protobuf.Root | undefined;

/** The parsed .proto, made when first asked for: most clients never ask. */
export function healthRoot(): protobuf.Root {
  if (root === undefined) {
    root = protobuf.parse(PROTO, { keepCase: true }).root;
    root.resolveAll();
  }
  return root;
}

/** The methods of the service. */
export function healthMethods(): Methods<"Check" | "List" | "Watch"> {
  return methodsOf(healthRoot(), "grpc.health.v1.Health") as Methods<"Check" | "List" | "Watch">;
}
