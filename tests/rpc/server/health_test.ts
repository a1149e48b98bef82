/** Tests of rpc/server/health.ts. */
import * as grpc from "@grpc/grpc-js";
import assert from "node:assert/strict";
import { healthMethods } from "../../../rpc/shared/health_definition.ts";
import { connectTo, serveLocally } from "../../support/rpc_server.ts";
import { bareClient } from "./bare_client.ts";

Deno.test("setServing() sets the answer of health", async () => {
  await using server = await serveLocally({});
  await using client = connectTo(server);
  assert.equal(await client.health(), "SERVING");
  server.setServing(false);
  assert.equal(await client.health(), "NOT_SERVING");
  server.setServing(true);
  assert.equal(await client.health(), "SERVING");
});

Deno.test("Health reports each question, so that the server can examine itself", async () => {
  let questions = 0;
  await using server = await serveLocally({}, { onHealthAsked: () => questions += 1 });
  await using client = connectTo(server);
  assert.equal(await client.health(), "SERVING");
  assert.equal(await client.health(), "SERVING");
  assert.equal(questions, 2);
});

Deno.test("Health lists its services, and sends every change to its watchers", async () => {
  const server = await serveLocally({});
  const client = bareClient(server);
  const { Check, List, Watch } = healthMethods();
  const ask = (method: typeof Check, service: string) =>
    new Promise<Record<string, unknown>>((resolve, reject) =>
      client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        { service },
        (error, answer) => error ? reject(error) : resolve(answer),
      )
    );
  assert.deepEqual(await ask(Check, "teleport.v1.JobWorker"), { status: "SERVING" });
  await assert.rejects(ask(Check, "other"), { code: grpc.status.NOT_FOUND });
  assert.deepEqual(Object.keys((await ask(List, ""))["statuses"] as object), ["", "teleport.v1.JobWorker"]);

  const watch = client.makeServerStreamRequest(Watch.path, Watch.requestSerialize, Watch.responseDeserialize, {
    service: "",
  });
  const ended = new Promise<grpc.ServiceError>((resolve) => watch.once("error", resolve));
  const next = () => new Promise((resolve) => watch.once("data", resolve));
  assert.deepEqual(await next(), { status: "SERVING" });
  server.setServing(false);
  assert.deepEqual(await next(), { status: "NOT_SERVING" });
  server.setServing(true);
  assert.deepEqual(await next(), { status: "SERVING" });
  // A watcher does not delay the shutdown.
  const stopped = server.shutdown({ graceMs: 60_000 });
  assert.deepEqual(await next(), { status: "NOT_SERVING" });
  assert.equal((await ended).code, grpc.status.UNAVAILABLE);
  await stopped;
  client.close();
});
