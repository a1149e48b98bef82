/** Tests of rpc/compat/read_ahead.ts. */
import "../../../rpc/compat/http2_guard.ts";
import * as grpc from "@grpc/grpc-js";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { bytes, listen, methodOf, plainClient } from "./plain_grpc.ts";
import { readOneMessageAhead } from "../../../rpc/compat/read_ahead.ts";
import { deadline } from "../../support/deadline.ts";

const TAKE = methodOf("/test.Sink/Take", true);

/** Makes a call with a stream of requests. Returns how many messages its server reads ahead. */
async function readAhead(prepare: (stream: object) => void): Promise<number> {
  const server = new grpc.Server();
  let read = -1;
  server.addService({ Take: TAKE }, {
    Take: (call: grpc.ServerReadableStream<Buffer, Buffer>, respond: grpc.sendUnaryData<Buffer>) => {
      prepare(call);
      read = call.readableHighWaterMark;
      respond(null, Buffer.alloc(0));
    },
  });
  const client = plainClient(await listen(server));
  await new Promise<void>((resolve, reject) => {
    const call = client.makeClientStreamRequest(TAKE.path, bytes, bytes, (error) => error ? reject(error) : resolve());
    call.end();
  });
  client.close();
  await deadline(new Promise<void>((resolve) => server.tryShutdown(() => resolve())));
  return read;
}

Deno.test("readOneMessageAhead() limits a call to one message", async () => {
  assert.equal(await readAhead(readOneMessageAhead), 1);
});

Deno.test("readOneMessageAhead() is still needed because grpc-js reads 16 messages ahead", async () => {
  assert.equal(await readAhead(() => {}), 16);
});

Deno.test("readOneMessageAhead() leaves an object without the private field unchanged", () => {
  const call = { other: 1 };
  readOneMessageAhead(call);
  assert.deepEqual(call, { other: 1 });
});
