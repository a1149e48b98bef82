/** Reads requests from bytes: checks their limits first, and reports bytes that cannot be decoded. */
import type { Buffer } from "node:buffer";
import { InvalidArgumentError } from "../../../mod.ts";
import type { Method } from "../../shared/definition.ts";
import { requestCheck } from "../limits/request_check.ts";

/** Returns a function that reads the requests of a method. */
export function requestReader(method: Method): (bytes: Buffer) => object {
  const check = requestCheck(method.requestType);
  return (bytes) => {
    check(bytes);
    try {
      return method.requestDeserialize(bytes);
    } catch {
      throw new InvalidArgumentError(
        `The request is not a valid protobuf message: cannot read ${method.requestType.name}`,
      );
    }
  };
}

/** Returns the method for grpc-js, with requests as bytes. grpc-js answers INTERNAL to a request it cannot decode. */
export function withRawRequests(method: Method): Method {
  return { ...method, requestDeserialize: (bytes: Buffer) => bytes };
}
