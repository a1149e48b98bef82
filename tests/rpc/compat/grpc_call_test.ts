/** Tests of rpc/compat/grpc_call.ts: the private fields of grpc-js are where it reads them. */
import "../../../rpc/compat/http2_guard.ts";
import * as grpc from "@grpc/grpc-js";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
// The default export, because only its connect() is guarded.
import http2 from "node:http2";
import { boundRequest, innerOf, passThrough, sessionOf, streamOf } from "../../../rpc/compat/grpc_call.ts";
import { connectTo, failure, serveLocally } from "../../support/rpc_server.ts";
import { addEcho, ECHO, echo, listen, plainClient } from "./plain_grpc.ts";
import { framed } from "../../support/raw_client.ts";
import { deadline } from "../../support/deadline.ts";

/** A server of grpc-js alone. */
async function plainServer(interceptor: grpc.ServerInterceptor) {
  const server = new grpc.Server({ interceptors: [interceptor] });
  addEcho(server);
  return { port: await listen(server), [Symbol.dispose]: () => server.forceShutdown() };
}

/** Sends a request whose bytes do not decompress. Returns its status code. */
async function statusOfBadCompression(interceptor: grpc.ServerInterceptor): Promise<number> {
  using server = await plainServer(interceptor);
  const session = http2.connect(`http://127.0.0.1:${server.port}`);
  session.on("error", () => {});
  const stream = session.request({
    ":method": "POST",
    ":path": ECHO.path,
    "content-type": "application/grpc",
    te: "trailers",
    "grpc-encoding": "gzip",
  });
  const frame = framed(Buffer.from("these bytes are not gzip"));
  frame[0] = 1;
  const status = new Promise<number>((resolve) => {
    const read = (headers: Record<string, unknown>) => {
      if (headers["grpc-status"] !== undefined) resolve(Number(headers["grpc-status"]));
    };
    stream.on("response", read);
    stream.on("trailers", read);
  });
  stream.on("error", () => {}).resume().end(frame);
  const code = await status;
  await deadline(new Promise<void>((resolve) => session.once("close", () => resolve()).destroy()));
  return code;
}

Deno.test("boundRequest() answers INVALID_ARGUMENT to a request that does not decompress", async () => {
  const code = await statusOfBadCompression((_, call) => {
    boundRequest(call, 1_000, { received: () => undefined });
    return passThrough(call);
  });
  assert.equal(code, grpc.status.INVALID_ARGUMENT);
});

Deno.test("boundRequest() is still needed because grpc-js answers INTERNAL to such a request", async () => {
  assert.equal(await statusOfBadCompression((_, call) => passThrough(call)), grpc.status.INTERNAL);
});

Deno.test("passThrough() is still needed because a wrapped call hides its stream", async () => {
  const found: [plain: boolean, session: boolean, wrapped: boolean][] = [];
  using server = await plainServer((_, call) => {
    const wrapped = new grpc.ServerInterceptingCall(call);
    found.push([streamOf(call) !== undefined, sessionOf(call) !== undefined, streamOf(wrapped) !== undefined]);
    return passThrough(call);
  });
  const client = plainClient(server.port);
  await echo(client, Buffer.alloc(1));
  client.close();
  assert.deepEqual(found, [[true, true, false]]);
});

Deno.test("boundRequest() and streamOf() find the private fields in a server", async () => {
  await using server = await serveLocally({ Status: () => Promise.resolve({ id: "x" }) });
  await using client = connectTo(server);
  await client.calls.Status({});
  // A call is counted only when its stream was found.
  assert.ok(server.limits.accounts.open.has("/teleport.v1.JobWorker/Status"));
  // The limit of one method's messages is in a field of the decoder.
  const { status, message } = await failure(client.calls.Status({ id: "x".repeat(100_000) }));
  assert.deepEqual([status, /65536/.test(message)], ["RESOURCE_EXHAUSTED", true]);
});

Deno.test("boundRequest() and streamOf() leave an object without the private fields unchanged", () => {
  assert.equal(streamOf({}), undefined);
  assert.equal(innerOf({ call: {} }), undefined);
  boundRequest({}, 1, { received: () => undefined });
  boundRequest({ stream: {} }, 1, { received: () => undefined });
});
