/** Makes messages of the bytes of requests: checked first, and refused as what they are where they cannot be read. */
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

/** The method as grpc-js is given it: with requests as bytes, for which grpc-js has no error but INTERNAL. */
export function withRawRequests(method: Method): Method {
  return { ...method, requestDeserialize: (bytes: Buffer) => bytes };
}
