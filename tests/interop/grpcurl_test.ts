/** Tests reflection with grpcurl, which lists, describes and calls without .proto files. It needs Go. */
import assert from "node:assert/strict";
import { startServer } from "../support/programs.ts";
import { buildWithGo } from "../support/go_program.ts";
import { skippedIf } from "../support/needs.ts";

const DEADLINE_S = 30;

const { path, missing } = await buildWithGo("github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3", "grpcurl");

Deno.test(skippedIf(missing, "grpcurl lists, describes and calls by reflection"), async () => {
  await using server = await startServer();
  const certs = `${server.dir}/certs`;
  const grpcurl = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await new Deno.Command(path, {
      args: [
        ...["-max-time", `${DEADLINE_S}`, "-cacert", `${certs}/ca.crt`],
        ...["-cert", `${certs}/admin.crt`, "-key", `${certs}/admin.key`],
        ...args,
      ],
      stdin: "null",
      signal: AbortSignal.timeout(2_000 * DEADLINE_S),
    }).output();
    assert.equal(code, 0, `${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
    return new TextDecoder().decode(stdout);
  };
  const { address } = server;
  const call = async (method: string, request: object) =>
    JSON.parse(await grpcurl("-d", JSON.stringify(request), address, `teleport.v1.JobWorker/${method}`));

  const services = (await grpcurl(address, "list")).trim().split("\n");
  assert.deepEqual(services, [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
    "teleport.v1.JobWorker",
  ]);
  for (const service of services) {
    const described = await grpcurl(address, "describe", service);
    // grpcurl also finds each message of the service.
    const messages = new Set([...described.matchAll(/\( (?:stream )?\.([\w.]+) \)/g)].map(([, name]) => name!));
    assert.ok(messages.size > 0, described);
    for (const message of messages) {
      assert.match(await grpcurl(address, "describe", message), /is a message:/);
    }
  }
  assert.match(await grpcurl(address, "describe", "teleport.v1.JobStatus"), /map<string, string> labels = 10;/);
  assert.match(await grpcurl(address, "describe", "google.protobuf.Timestamp"), /int64 seconds = 1;/);

  const { id } = await call("Register", { command: "cat", input: true });
  const data = btoa("by grpcurl");
  const started = grpcurl("-d", JSON.stringify({ id }), address, "teleport.v1.JobWorker/Start");
  const deadline = performance.now() + 1_000 * DEADLINE_S;
  while ((await call("Status", { id })).state !== "STATE_RUNNING") assert.ok(performance.now() < deadline);
  await call("Input", { id, data, end: true });
  assert.match(await started, /"state": "STATE_EXITED"/);
  assert.match(await grpcurl("-d", JSON.stringify({ id }), address, "teleport.v1.JobWorker/GetOutput"), RegExp(data));
  assert.equal((await call("List", {})).jobs[0].id, id);
  assert.match(await grpcurl(address, "grpc.health.v1.Health/Check"), /SERVING/);
});
