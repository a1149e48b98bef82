/** The function of grpc-js that passes a message to its reader, before a client replaces it. Import this file first. */
import "../../../rpc/compat/http2_guard.ts";
import { Http2SubchannelCall } from "@grpc/grpc-js/build/src/subchannel-call.js";

/** The class with its private function. */
export const prototype = Http2SubchannelCall.prototype as unknown as { push(message: Uint8Array): void };

export const { push: plainPush } = prototype;
