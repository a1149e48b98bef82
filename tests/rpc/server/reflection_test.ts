/** Tests of rpc/server/reflection.ts. ../../interop/ tests it with other clients. */
import assert from "node:assert/strict";
import { serveLocally } from "../../support/rpc_server.ts";
import { reflect } from "./bare_client.ts";

Deno.test("reflection lists the services and returns their files", async () => {
  await using server = await serveLocally({});
  const services = (await reflect(server)).toString("latin1");
  assert.match(services, /teleport\.v1\.JobWorker/);
  assert.match(services, /grpc\.health\.v1\.Health/);
  const file = (await reflect(server, 4, "teleport.v1.JobWorker")).toString("latin1");
  for (const name of ["JobRequest", "timeout_ms", "google.protobuf.Timestamp", "GetOutput"]) {
    assert(file.includes(name), `${name} is missing`);
  }
});
