/** The call Info: its facts, and who gets them. */
import assert from "node:assert/strict";
import { createService } from "../../../service/handlers/service.ts";
import { Supervisor } from "../../../mod.ts";
import { certificateOf, clientOf, codeOf, startService } from "../../support/service.ts";

Deno.test("Info has the number of jobs only for callers who see all jobs", async () => {
  await using service = startService();
  await service.supervisor.add("true", [], { owner: "ann" });
  for (const [role, wanted] of [["admin", 1], ["viewer", 1], ["operator", undefined]] as const) {
    const { jobs, running_jobs } = await service.as(certificateOf("bob", role)).Info({});
    assert.equal(jobs, wanted, role);
    assert.equal(running_jobs, wanted === undefined ? undefined : 0);
  }
  assert.equal(await codeOf(() => service.as(certificateOf("bob")).Info({})), "PERMISSION_DENIED");
});

Deno.test("Info answers the facts of the server, and probes isolation once", async () => {
  await using supervisor = new Supervisor({ closeGraceMs: 100 });
  let probes = 0;
  const counted = Object.assign(Object.create(supervisor), {
    isolations: () => {
      probes += 1;
      return Promise.resolve({ PRIVATE: "", STRICT: "no namespaces" });
    },
    statistics: () => supervisor.statistics(),
  });
  const service = createService(counted, {
    info: () => ({ version: "1.2.3", limits: { max_connections: 9 }, directory: "/tmp", cgroupText: "none" }),
  });
  const calls = clientOf(service, certificateOf("ann", "admin"));
  const answer = await calls.Info({});
  await calls.Info({});
  assert.equal(probes, 1);
  assert.equal(answer.version, "1.2.3");
  assert.deepEqual(answer.limits, [{ name: "max_connections", value: 9 }]);
  assert.ok((answer.free_disk_bytes ?? 0) > 0);
  assert.deepEqual(answer.isolations.map(({ unavailable }) => unavailable), ["", "no namespaces"]);
});
